import AllocationTraces

/// What the columns of a trace hold for one call.
struct TraceColumnValues {
  /// The number of the function that was called.
  var entry: UInt8 = 0
  /// The usable bytes beyond the requested ones.
  var usableByteCount: UInt64 = 0
  /// The address of the new block.
  var address: UInt64 = 0
  /// The number of the call stack.
  var stack: UInt64 = 0
  /// The calls that the call stands for, in thousandths, in a trace of samples.
  var weightThousandths: UInt64 = 1000

  /// No value in any column.
  static let none = TraceColumnValues()
}

/// A column beside the events of a block: one value for each call, or for each call that makes an object.
struct TraceColumn {
  /// What the column holds.
  let kind: TraceBlockKind
  private var bytes: [UInt8] = []
  private var lastAddress: UInt64 = 0

  /// An empty column.
  init(_ kind: TraceBlockKind) { self.kind = kind }

  /// Appends the value of a call.
  mutating func append(_ values: TraceColumnValues, _ event: TraceEvent, nanoseconds: UInt64) {
    switch kind {
    case .times: append(nanoseconds)
    case .entries: bytes.append(values.entry)
    case .stacks: append(values.stack)
    case .usableBytes where event.makesObject: append(values.usableByteCount)
    case .weights where event.makesObject: append(values.weightThousandths)
    case .addresses where event.makesObject:
      // The difference in units of 16 bytes, with the sign in the lowest bit: neighbours take a byte.
      let difference = Int64(bitPattern: (values.address &- lastAddress)) >> 4
      append(UInt64(bitPattern: (difference << 1) ^ (difference >> 63)))
      lastAddress = values.address
    default: break
    }
  }

  /// Returns the bytes and empties the column. The next block's first address stands for itself.
  mutating func take() -> [UInt8] {
    defer {
      bytes.removeAll(keepingCapacity: true)
      lastAddress = 0
    }
    return bytes
  }

  private mutating func append(_ number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
