public import Addresses
import Contracts

extension BuddyFrames: FrameReferenceCounts {
  /// How many holders the frame has: 1 after its allocation. Traps unless it was allocated with this size.
  ///
  /// - Complexity: O(1)
  public func referenceCount(of frame: Page<PhysAddr>) -> UInt32 {
    requireFrame(frame).holderCount
  }

  /// Adds a holder. Traps unless the frame was allocated with this size, and past 2^32 - 1 holders.
  ///
  /// - Complexity: O(1)
  public mutating func retain(_ frame: Page<PhysAddr>) {
    var state = requireFrame(frame)
    require(
      state.holderCount < .max, "a frame can have at most 2^32 - 1 holders, found one with so many", frame.start.raw)
    state.holderCount += 1
    table.setState(state, at: UInt(position(of: frame.start)))
  }

  /// Takes a holder away; true when that was the last one, and the frame is free then.
  ///
  /// Traps unless the frame was allocated with this size.
  /// - Complexity: O(1)
  public mutating func release(_ frame: Page<PhysAddr>) -> Bool {
    var state = requireFrame(frame)
    if state.holderCount == 1 {
      deallocate(frame)
      return true
    }
    state.holderCount -= 1
    table.setState(state, at: UInt(position(of: frame.start)))
    return false
  }

  private func requireFrame(_ frame: Page<PhysAddr>) -> FrameState {
    let state = requireBlock(at: frame.start)
    require(
      state.order == frame.size.order.rawValue, "a frame must be named with the size it was allocated with, found",
      frame.start.raw)
    return state
  }
}
