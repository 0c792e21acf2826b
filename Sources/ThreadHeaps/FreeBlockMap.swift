internal import HeapBlocks
package import HeapSpaces

/// Which blocks of a span are free, one bit each.
package struct FreeBlockMap {
  private var words = InlineArray<64, UInt64>(repeating: 0)
  private let start: UInt
  private let blockByteCount: UInt
  private let reciprocal: UInt

  /// The map of the blocks on a span's free list and over its absent pages. The span starts at `start`.
  package init(of span: BlockSpan, start: UInt) {
    self.start = start
    blockByteCount = UInt(span.blockByteCount)
    reciprocal = UInt(span.fields.reciprocal)
    mark(listFrom: span.free)
    let absent = span.absentPages
    guard absent != 0 else { return }
    for number in 0..<span.capacity where pages(of: number) & absent != 0 { mark(number) }
  }

  /// Whether the block with this number is free.
  package subscript(number: UInt) -> Bool { words[Int(number >> 6)] >> UInt64(number & 63) & 1 != 0 }

  /// The pages, one bit each, that a block overlaps.
  func pages(of number: UInt) -> UInt16 {
    Granule.pageMask(
      offset: UInt32(truncatingIfNeeded: number * blockByteCount),
      byteCount: UInt32(truncatingIfNeeded: blockByteCount))
  }

  /// Marks the blocks of a list.
  package mutating func mark(listFrom first: UInt) {
    var block = FreeBlock(first)
    while block.address != 0 {
      // For a multiple of the block size below 2^16 this is the exact quotient; see SpanRecord.reciprocal.
      mark(((block.address &- start) &* reciprocal) >> 32)
      block = FreeBlock(block.next)
    }
  }

  private mutating func mark(_ number: UInt) {
    words[Int(number >> 6)] |= 1 << UInt64(number & 63)
  }
}
