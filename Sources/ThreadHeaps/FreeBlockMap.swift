internal import HeapBlocks
package import HeapSpaces

/// Which blocks of a span are free, one bit each.
package struct FreeBlockMap {
  private var words = InlineArray<64, UInt64>(repeating: 0)
  private let start: UInt
  private let blockByteCount: UInt
  private let reciprocal: UInt
  private let capacity: UInt

  /// The map of the blocks on a span's free list and over its absent pages. The span starts at `start`.
  package init(of span: BlockSpan, start: UInt) {
    self.start = start
    blockByteCount = UInt(span.blockByteCount)
    reciprocal = UInt(span.fields.reciprocal)
    capacity = span.capacity
    mark(listFrom: span.free)
    Granule.forEachRun(in: span.absentPages) { offset, byteCount in
      mark(offset / blockByteCount..<min(capacity, (offset + byteCount - 1) / blockByteCount + 1))
    }
  }

  /// Whether the block with this number is free.
  package subscript(number: UInt) -> Bool { words[Int(number >> 6)] >> UInt64(number & 63) & 1 != 0 }

  /// The pages, one bit each, under blocks that are not free.
  /// - Complexity: O(c / 64 + h) for a span with room for c blocks and h blocks that are not free
  var heldPages: UInt16 {
    var pages: UInt16 = 0
    var first: UInt = 0
    while first < capacity {
      var held = ~words[Int(first >> 6)]
      if capacity - first < 64 { held &= (1 << UInt64(capacity - first)) - 1 }
      while held != 0 {
        let number = first + UInt(held.trailingZeroBitCount)
        pages |= Granule.pageMask(
          offset: UInt32(truncatingIfNeeded: number * blockByteCount),
          byteCount: UInt32(truncatingIfNeeded: blockByteCount))
        held &= held - 1
      }
      first += 64
    }
    return pages
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

  private mutating func mark(_ numbers: Range<UInt>) {
    var first = numbers.lowerBound
    while first < numbers.upperBound {
      let end = min(numbers.upperBound, (first | 63) + 1)
      words[Int(first >> 6)] |= (~0 >> UInt64(64 - (end - first))) << UInt64(first & 63)
      first = end
    }
  }
}
