import AllocationTraces

// The columns of an events block stand behind it. They are decoded before its events are passed on: each call then comes
// with what its columns say.

/// The columns of one events block that a reader asked for.
struct TraceColumns {
  private var stacks: [UInt64] = []
  private var weights: [UInt64] = []
  private var calls = 0
  private var objects = 0

  /// The values of the next event; none for an event that is no call.
  mutating func next(_ event: TraceEvent) -> TraceColumnValues {
    var values = TraceColumnValues.none
    guard event.isCall else { return values }
    if calls < stacks.count { values.stack = stacks[calls] }
    calls += 1
    guard event.makesObject else { return values }
    if objects < weights.count { values.weightThousandths = weights[objects] }
    objects += 1
    return values
  }

  /// Takes the content of a column's block.
  fileprivate mutating func take(_ kind: TraceBlockKind, _ content: Span<UInt8>) {
    switch kind {
    case .stacks: stacks = Self.numbers(content)
    case .weights: weights = Self.numbers(content)
    default: break
    }
  }

  private static func numbers(_ bytes: Span<UInt8>) -> [UInt64] {
    var numbers: [UInt64] = []
    var (number, shift): (UInt64, UInt64) = (0, 0)
    for index in bytes.indices {
      number |= UInt64(bytes[index] & 0x7F) << shift
      shift += 7
      guard bytes[index] & 0x80 == 0 else { continue }
      numbers.append(number)
      (number, shift) = (0, 0)
    }
    return numbers
  }
}

extension TraceFile {
  /// The columns of the events block whose columns begin at `offset`.
  static func columns(of file: MappedFile, from offset: Int) throws(TraceFileError.Finding) -> TraceColumns {
    var columns = TraceColumns()
    var blocks = TraceBlocks(file, from: offset)
    while true {
      let isColumn = try blocks.next({ [.stacks, .weights].contains($0) }) { block, content, _ in
        columns.take(block.kind, content)
        return (TraceBlockKind.times.rawValue...TraceBlockKind.weights.rawValue).contains(block.kind.rawValue)
          && block.kind != .stackTable
      }
      guard isColumn ?? false else { return columns }
    }
  }

  /// The table of call stacks; empty for a trace that has none.
  ///
  /// - Throws: ``TraceFileError`` for a table that is damaged.
  func callStacks() throws(TraceFileError) -> CallStackTable {
    var table = CallStackTable()
    guard version > 1 else { return table }
    do throws(TraceFileError.Finding) {
      var blocks = TraceBlocks(file)
      while true {
        let isWhole = try blocks.next({ $0 == .stackTable }) { block, content, offset throws(TraceFileError.Finding) in
          guard block.kind == .stackTable else { return true }
          guard table.decode(content) else { throw .badStackTable(byteOffset: offset) }
          return true
        }
        guard isWhole != nil else { return table }
      }
    } catch {
      throw TraceFileError(path, error)
    }
  }

  /// The mean bytes between two samples; 0 for a trace of all calls.
  var sampleByteCount: UInt64 { text.counts["sampleBytes"] ?? 0 }
}
