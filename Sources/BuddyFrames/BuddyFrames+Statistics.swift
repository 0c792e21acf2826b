extension BuddyFrames {
  /// How many free blocks of each order there are: a line of `/proc/buddyinfo` with eight more columns.
  ///
  /// - Complexity: O(1): nineteen sums over counters that every allocation and deallocation updates.
  public var freeBlocks: FreeBlockCounts {
    index.settle()
    return index.counts.freeBlocks
  }

  /// How many frames are allocated.
  public var allocatedFrameCount: UInt64 { frameCount - freeFrameCount - reservedFrameCount }
}
