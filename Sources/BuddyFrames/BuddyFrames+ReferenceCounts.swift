public import Addresses
import Assertions
public import MemoryProtocols

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
  @inlinable
  public mutating func retain(_ frame: Page<PhysAddr>) {
    let offset = table.descriptorOffset(of: frame)
    if !table.addHolder(at: offset, size: frame.size) { refuseHolder(offset, frame.size) }
  }

  /// Adds a holder to each frame that `frame` returns; traps as ``retain(_:)`` does.
  ///
  /// - Complexity: O(n) for n frames
  @inlinable @inline(__always)
  public mutating func retain(_ count: Int, _ frame: (Int) -> Page<PhysAddr>?) {
    // A fork does this for every page, so it is a few instructions in the caller's loop. The local copy of the handle
    // spares reloading its fields after each store; counting down needs no compare.
    let table = table
    var index = count
    while index != 0 {
      index &-= 1
      guard let frame = frame(index) else { continue }
      let offset = table.descriptorOffset(of: frame)
      if !table.addHolder(at: offset, size: frame.size) { refuseHolder(offset, frame.size) }
    }
  }

  /// Ends the process: the frame whose descriptor lies at `offset` cannot get another holder.
  @inline(never) @usableFromInline
  func refuseHolder(_ offset: UInt64, _ size: PageSize) -> Never {
    let frame = Page(start: PhysAddr(range.start.raw &+ offset &<< 8), size: size)
    _ = requireFrame(frame)
    fail("a frame can have at most 2^32 - 1 holders, found one with so many", frame.start.raw)
  }

  /// Removes a holder. True when it was the last one; the frame is then free.
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
