public import Addresses
import Assertions
public import MemoryProtocols

// Splitting blocks in use and joining them again: how a large page becomes small ones in place.

extension BuddyFrames {
  /// Splits an allocated block of `order` into allocated blocks of the smaller order `parts`, each with the same
  /// holders.
  ///
  /// From then on each part is deallocated on its own. Traps unless such a block is allocated at `address`, and when
  /// `parts` is larger than `order`.
  ///
  /// - Complexity: O(n) for n parts.
  public mutating func split(_ address: PhysAddr, order: FrameOrder, into parts: FrameOrder) {
    let state = requireBlock(at: address)
    require(
      state.order == order.rawValue, "a block must be split with the order it was allocated with, found", address.raw)
    require(parts <= order, "a block cannot be split into larger ones, found", address.raw)
    var part = FrameState.allocated(parts.rawValue)
    part.holderCount = state.holderCount
    let first = number(of: address)
    var current = order.rawValue
    while current > parts.rawValue {
      current -= 1
      let partCount: UInt = 1 << UInt(order.rawValue - current - 1)
      for index in 0..<partCount { self.index.splitUsed(first + index << UInt(current + 1), to: current) }
    }
    for index in 0..<(UInt(1) << UInt(order.rawValue - parts.rawValue)) {
      table.setState(part, at: first + index << UInt(parts.rawValue) - firstFrame)
    }
  }

  /// Joins the allocated blocks of order `parts` that fill the aligned block of `order` at `address` into one block.
  ///
  /// Traps unless all of them are allocated with one holder each.
  ///
  /// - Complexity: O(n) for n parts.
  public mutating func join(_ address: PhysAddr, order: FrameOrder, from parts: FrameOrder) {
    require(address.isAligned(to: order.byteCount), "a block must start at a multiple of its size, found", address.raw)
    require(parts <= order, "blocks cannot be joined to a smaller one, found", address.raw)
    let first = number(of: address)
    let partCount = UInt(1) << UInt(order.rawValue - parts.rawValue)
    for index in 0..<partCount {
      requireSoleHolder(of: self.address(of: first + index << UInt(parts.rawValue)), order: parts.rawValue)
    }
    for index in 1..<max(partCount, 1) { table.setState(.none, at: first + index << UInt(parts.rawValue) - firstFrame) }
    table.setState(.allocated(order.rawValue), at: first - firstFrame)
    var current = parts.rawValue
    while current < order.rawValue {
      current += 1
      let joinedCount: UInt = 1 << UInt(order.rawValue - current)
      for index in 0..<joinedCount { self.index.joinUsed(first + index << UInt(current), to: current) }
    }
  }
}

extension BuddyFrames: FrameSplitting {
  /// Splits an allocated frame into frames of a smaller size, each with the same holders.
  ///
  /// - Complexity: O(n) for n parts.
  public mutating func split(_ frame: Page<PhysAddr>, into size: PageSize) {
    split(frame.start, order: frame.size.order, into: size.order)
  }

  /// Joins the allocated frames of `size` that fill `frame`, each with one holder, into one frame.
  ///
  /// - Complexity: O(n) for n parts.
  public mutating func join(_ frame: Page<PhysAddr>, from size: PageSize) {
    join(frame.start, order: frame.size.order, from: size.order)
  }
}
