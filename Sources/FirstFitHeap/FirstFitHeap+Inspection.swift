public import Addresses
public import MemoryProtocols

extension FirstFitHeap {
  /// Visits every block, in use and free, in address order.
  /// - Complexity: O(blocks); reads every header.
  public func forEachBlock(_ body: (HeapBlock) -> Void) {
    var next = firstRange
    while let range = next {
      var start = range.first
      while start < range.top {
        let header = range.checkedHeader(at: start)
        let blockRange = AddrRange(start: VirtAddr(start), byteCount: header.byteCount)
        body(HeapBlock(range: blockRange, isFree: !header.isInUse))
        start += header.byteCount
      }
      if range.topByteCount > 0 {
        body(HeapBlock(range: AddrRange(start: VirtAddr(range.top), byteCount: range.topByteCount), isFree: true))
      }
      next = range.next
    }
  }

  /// What the heap holds now.
  /// - Complexity: O(r) for r ranges.
  public var statistics: HeapStatistics {
    var statistics = HeapStatistics()
    statistics.usedByteCount = usedByteCount
    statistics.peakUsedByteCount = peakUsedByteCount
    statistics.blockCount = blockCount
    statistics.holeCount = indexedHoleCount
    if let firstRange, highestEnd > firstRange.first {
      statistics.peakExtentByteCount = highestEnd - firstRange.base - firstRange.tableByteCount
    }
    var next = firstRange
    while let range = next {
      let largest = max(UInt(range.holes.largestSize) * BlockLayout.granuleByteCount, range.topByteCount)
      statistics.capacityByteCount += range.capacityByteCount
      statistics.largestFreeByteCount = max(statistics.largestFreeByteCount, largest)
      if range.topByteCount > 0 { statistics.holeCount += 1 }
      next = range.next
    }
    statistics.freeByteCount = statistics.capacityByteCount - usedByteCount
    return statistics
  }
}

extension FirstFitHeap {
  /// The size in bytes of the block at `address`, header included, as that header gives it. The header is not checked.
  ///
  /// Any thread may call this without the heap's lock for a block that it holds.
  /// - Complexity: O(1)
  @inline(__always)
  public static func blockByteCount(of address: VirtAddr) -> UInt {
    BlockHeader(word: HeapMemory.word(at: address.raw &- BlockLayout.headerByteCount)).byteCount
  }

  /// Whether the header of the block at `address` says that it is in use and has `blockByteCount` bytes, header
  /// included.
  ///
  /// It reads no range and so does not check the seal. Any thread may therefore call it without the heap's lock for a
  /// block that it holds and whose size it knows.
  /// - Complexity: O(1)
  public static func isHeaderIntact(of address: VirtAddr, blockByteCount: UInt) -> Bool {
    BlockHeader(word: HeapMemory.word(at: address.raw &- BlockLayout.headerByteCount)).isInUse(of: blockByteCount)
  }
}
