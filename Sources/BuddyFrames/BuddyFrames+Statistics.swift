extension BuddyFrames {
  /// How many free blocks there are of each order: a line of `/proc/buddyinfo`, with eight columns more.
  ///
  /// - Complexity: O(1): nineteen sums of what is counted as blocks come and go.
  public var freeBlocks: FreeBlockCounts {
    index.settle()
    return index.counts.freeBlocks
  }

  /// How many frames are allocated.
  public var allocatedFrameCount: UInt64 { frameCount - freeFrameCount - reservedFrameCount }
}
