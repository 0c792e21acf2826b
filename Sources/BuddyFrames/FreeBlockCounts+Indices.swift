public import Addresses

// Linux's measures of fragmentation for requests of an order, as under /sys/kernel/debug/extfrag.
//
// With F free frames in B blocks of all orders, and blocks of at least order k that hold S of the frames:
//
//   unusable index (k)      = (F - S) / F, or 1 when nothing is free: the share of free memory that is in blocks too
//                             small. 0 is perfect.
//   fragmentation index (k) = -1 when S > 0; 0 when nothing is free; else 1 - (1 + F / 2^k) / B: why a request
//                             fails. Near 0 there is too little memory, near 1 there is enough, in too many pieces.
//
// Sources: Mel Gorman and Andy Whitcroft, "The What, The Why and the Where To of Anti-Fragmentation", Ottawa Linux
// Symposium 2006; Linux, mm/vmstat.c, unusable_free_index and __fragmentation_index; Linux's documentation of
// vm.extfrag_threshold.

extension FreeBlockCounts {
  /// The share of free memory that requests of `order` cannot use, 0 to 1000 thousandths, rounded down as Linux does.
  public func unusableIndexThousandths(_ order: FrameOrder) -> Int {
    let free = frameCount
    if free == 0 { return 1000 }
    return Int((free - frameCount(atLeast: order)) * 1000 / free)
  }

  /// Why requests of `order` fail, in thousandths rounded as Linux does: -1000 when they do not fail, 0 for too little
  /// memory, 1000 for too many pieces.
  public func fragmentationIndexThousandths(_ order: FrameOrder) -> Int {
    let blocks = blockCount
    if blocks == 0 { return 0 }
    if frameCount(atLeast: order) > 0 { return -1000 }
    return 1000 - Int((1000 + frameCount * 1000 / order.frameCount) / blocks)
  }
}

#if !hasFeature(Embedded)

  extension FreeBlockCounts {
    /// The share of free memory that requests of `order` cannot use: 0 to 1.
    public func unusableIndex(_ order: FrameOrder) -> Double {
      let free = frameCount
      return free == 0 ? 1 : Double(free - frameCount(atLeast: order)) / Double(free)
    }

    /// Why requests of `order` fail: -1 when they do not fail, near 0 for too little memory, near 1 for too many
    /// pieces.
    public func fragmentationIndex(_ order: FrameOrder) -> Double {
      let blocks = blockCount
      if blocks == 0 { return 0 }
      if frameCount(atLeast: order) > 0 { return -1 }
      return 1 - (1 + Double(frameCount) / Double(order.frameCount)) / Double(blocks)
    }
  }

#endif
