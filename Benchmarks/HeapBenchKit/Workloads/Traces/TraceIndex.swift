import AllocationTraces

// The end of a trace of version 2:
//
//   the last text | index: for each events block its offset, first call, first object, nanoseconds | end: two offsets
//
// The end has a fixed length, so a reader finds it from the back of the file.

/// The index of a trace: where to start reading for a call or a moment.
struct TraceIndex {
  /// An events block.
  struct Entry: Equatable {
    let offset: UInt64
    let firstCall: UInt64
    let firstObject: UInt64
    let nanoseconds: UInt64
  }

  /// The bytes of an entry.
  static let entryByteCount = 32

  /// The events blocks, in order.
  private(set) var entries: [Entry] = []

  /// An index without entries.
  init() {}

  /// Adds a block.
  mutating func append(_ block: TraceBlock, at offset: UInt64) {
    entries.append(
      Entry(
        offset: offset, firstCall: block.firstCall, firstObject: block.firstObject, nanoseconds: block.nanoseconds))
  }

  /// The index of a complete trace; nil where there is none.
  init?(of file: MappedFile) {
    guard let end = Self.end(of: file) else { return nil }
    var entries: [Entry] = []
    var blocks = TraceBlocks(file, from: end.indexOffset)
    // A long trace's index goes on in further blocks.
    while true {
      let isIndex = try? blocks.next({ $0 == .index }) { block, content, _ in
        guard block.kind == .index else { return false }
        for start in stride(from: 0, to: content.count - Self.entryByteCount + 1, by: Self.entryByteCount) {
          entries.append(
            Entry(
              offset: Self.number(in: content, at: start), firstCall: Self.number(in: content, at: start + 8),
              firstObject: Self.number(in: content, at: start + 16),
              nanoseconds: Self.number(in: content, at: start + 24)))
        }
        return true
      }
      guard isIndex == true else { break }
    }
    self.entries = entries
  }

  /// The last entry at or before a moment; nil without entries.
  func entry(atNanoseconds nanoseconds: UInt64) -> Entry? { entries.last { $0.nanoseconds <= nanoseconds } }

  /// The offsets that the end block holds; nil when the file does not end with one.
  static func end(of file: MappedFile) -> (indexOffset: Int, textOffset: Int)? {
    let start = file.count - TraceBlock.headerByteCount - 16
    guard start >= TraceBlock.magicByteCount else { return nil }
    return file.withBytes { bytes in
      guard let (block, stored) = try? TraceBlock.decode(bytes, at: start), block.kind == .end, stored.count == 16
      else { return nil }
      let content = bytes.extracting(stored)
      let (index, text) = (number(in: content, at: 0), number(in: content, at: 8))
      guard max(index, text) < UInt64(start) else { return nil }
      return (Int(index), Int(text))
    }
  }

  private static func number(in bytes: Span<UInt8>, at start: Int) -> UInt64 {
    (0..<8).reduce(0) { $0 | UInt64(bytes[start + $1]) << (8 * UInt64($1)) }
  }
}
