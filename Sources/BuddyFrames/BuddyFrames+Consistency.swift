public import Addresses

/// The first defect that a check of a ``BuddyFrames`` found.
public enum BuddyFramesDefect: Error, Equatable, Sendable {
  /// A summary bit of the index disagrees with the words below it: its level, piece and order.
  case summary(level: Int, piece: UInt, order: UInt8)
  /// A used frame belongs to no block, or to two.
  case block(PhysAddr)
  /// The descriptor of a free frame says that it is in use.
  case freeFrameInUse(PhysAddr)
  /// The count of free blocks of an order is wrong.
  case freeBlockCount(FrameOrder, counted: UInt64, found: UInt64)
  /// The count of free or reserved frames is wrong.
  case frameCount
  /// There is a free frame below the cursor.
  case cursor
  /// A bank that is recorded to have no free block of some order has one; where the bank starts.
  case barrenBank(PhysAddr)
}

extension BuddyFrames {
  /// Checks every invariant; throws the first defect.
  ///
  /// The checks: free blocks and blocks in use are disjoint and fill the range; no two free buddies are unmerged; every
  /// summary bit of the index follows from the words below it; all counts are right.
  ///
  /// - Complexity: O(n) for n frames.
  public func checkConsistency() throws(BuddyFramesDefect) {
    try index.checkSummaries(frames: firstFrame..<firstFrame + UInt(frameCount))
    try checkBlocks()
  }

  /// Walks the range block by block and compares it with the counts.
  private func checkBlocks() throws(BuddyFramesDefect) {
    var found = FreeBlockCounts()
    var reserved: UInt64 = 0
    var frame = firstFrame
    let end = firstFrame + UInt(frameCount)
    var isFirstFree = true
    while frame < end {
      let state = table.state(at: frame - firstFrame)
      if index.isFree(frame, order: 0) {
        if state != .none { throw .freeFrameInUse(address(of: frame)) }
        if isFirstFree && index.frameWord(frame >> 6) < index.cursor { throw .cursor }
        isFirstFree = false
        let order = largestFreeOrder(at: frame)
        found[FrameOrder(order)] += 1
        for next in frame..<frame + 1 << UInt(order) where table.state(at: next - firstFrame) != .none {
          throw .freeFrameInUse(address(of: next))
        }
        frame += 1 << UInt(order)
      } else {
        // A block in use: all its frames are in use, and no other block starts inside it.
        let size = UInt(1) << UInt(state.order)
        if state == .none || frame & (size - 1) != 0 || size > end - frame { throw .block(address(of: frame)) }
        for next in frame + 1..<max(frame + size, frame + 1)
        where table.state(at: next - firstFrame) != .none || index.isFree(next, order: 0) {
          throw .block(address(of: next))
        }
        if state.isReserved { reserved += UInt64(size) }
        frame += size
      }
    }
    let counted = freeBlocks
    for order in 0..<UInt8(FrameOrder.count) {
      let order = FrameOrder(order)
      if counted[order] != found[order] { throw .freeBlockCount(order, counted: counted[order], found: found[order]) }
    }
    if found.frameCount != freeFrameCount || reserved != reservedFrameCount { throw .frameCount }
  }

  /// The order of the largest aligned free run that starts at a free frame. Nothing free lies right below that frame to
  /// merge with.
  private func largestFreeOrder(at frame: UInt) -> UInt8 {
    var order: UInt8 = 0
    while order < 18, frame & (1 << UInt(order)) == 0,
      frame + 2 << UInt(order) <= firstFrame + UInt(frameCount), index.isFree(frame, order: order + 1)
    {
      order += 1
    }
    return order
  }
}
