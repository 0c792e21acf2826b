import Addresses

extension SparseFrames {
  /// How many free blocks of each order there are in all banks together.
  ///
  /// - Complexity: O(n) for n banks.
  public var freeBlocks: FreeBlockCounts {
    var sum = FreeBlockCounts()
    for index in 0..<bankCount {
      // SAFETY: the index is below the count.
      let counts = unsafe list.bank(index).pointee.frames.freeBlocks
      for order in 0..<UInt8(FrameOrder.count) { sum[FrameOrder(order)] += counts[FrameOrder(order)] }
    }
    return sum
  }

  /// How many frames are free or allocated: all but the reserved ones.
  ///
  /// - Complexity: O(n) for n banks.
  public var managedFrameCount: UInt64 {
    var sum: UInt64 = 0
    for index in 0..<bankCount {
      // SAFETY: the index is below the count.
      let bank = unsafe list.bank(index)
      sum += unsafe bank.pointee.frames.frameCount - bank.pointee.frames.reservedFrameCount
    }
    return sum
  }

  /// How many frames are reserved.
  ///
  /// - Complexity: O(n) for n banks.
  public var reservedFrameCount: UInt64 { frameCount - managedFrameCount }

  /// Checks every invariant of every bank and of the counts; throws the first defect.
  ///
  /// - Complexity: O(n) for n frames.
  public func checkConsistency() throws(BuddyFramesDefect) {
    var found: (free: UInt64, all: UInt64) = (0, 0)
    for index in 0..<bankCount {
      // SAFETY: the index is below the count.
      let bank = unsafe list.bank(index)
      try unsafe bank.pointee.frames.checkConsistency()
      found.free += unsafe bank.pointee.frames.freeFrameCount
      found.all += unsafe bank.pointee.frames.frameCount
      let largest = unsafe bank.pointee.frames.freeBlocks.largestOrder
      if let largest, unsafe bank.pointee.barrenOrder <= largest.rawValue || bank.pointee.wakeFrameCount == 1 {
        throw .barrenBank(range(ofBank: index).start)
      }
    }
    if found != (freeFrameCount, frameCount) { throw .frameCount }
  }
}
