public import Addresses
import Assertions

// Reserved frames are blocks in use without a holder. Each block has a descriptor at its first frame.

extension BuddyFrames {
  /// Reserves the free frames in `frames`: they are never allocated.
  ///
  /// Reserved frames stay reserved. Traps when a frame is allocated, or when `frames` lies outside the allocator's
  /// range. A frame that is only partly in `frames` is reserved as a whole.
  ///
  /// - Complexity: O(log n) for n frames that are all free; otherwise it also grows with the blocks in the range.
  public mutating func reserve(_ frames: AddrRange<PhysAddr>) {
    var pieces = alignedRuns(in: frames.alignedOutward(to: PageSize.size4KiB.byteCount))
    while let (frame, order) = pieces.next() { reserve(frame, order: order) }
  }

  /// Reserves an allocated block with one holder: it is in use until ``unreserve(_:)`` frees it.
  ///
  /// Traps unless such a block of `order` starts at `address`.
  /// - Complexity: O(1)
  public mutating func reserveAllocated(_ address: PhysAddr, order: FrameOrder) {
    requireSoleHolder(of: address, order: order.rawValue)
    table.setState(.reserved(order.rawValue), at: UInt(position(of: address)))
    reservedFrameCount += order.frameCount
  }

  /// Frees reserved frames; traps when one of them is not reserved, and for the frame at address 0.
  ///
  /// - Complexity: O(m log n) for m reserved blocks and n frames.
  public mutating func unreserve(_ frames: AddrRange<PhysAddr>) {
    require(frames.isEmpty || !frames.start.isNull, "the frame at address 0 must stay reserved")
    var pieces = alignedRuns(in: frames)
    while let (frame, order) = pieces.next() { requireReserved(frame, order: order) }
    pieces = alignedRuns(in: frames)
    while let (frame, order) = pieces.next() { unreserve(frame, order: order) }
  }

  private mutating func reserve(_ frame: UInt, order: UInt8) {
    if index.isFree(frame, order: order) {
      take(frame, order: order)
      table.setState(.reserved(order), at: frame - firstFrame)
      reservedFrameCount += 1 << UInt64(order)
      return
    }
    // Part of the run is in use: by one block around it, or by blocks inside it.
    if let (_, state) = block(containing: frame), state.order >= order {
      requireReserved(state, frame)
      return
    }
    reserve(frame, order: order - 1)
    reserve(frame + (1 << UInt(order - 1)), order: order - 1)
  }

  private func requireReserved(_ frame: UInt, order: UInt8) {
    if let (_, state) = block(containing: frame) {
      requireReserved(state, frame)
      if state.order >= order { return }
    }
    require(order > 0, "only reserved frames can be made free, found", address(of: frame).raw)
    requireReserved(frame, order: order - 1)
    requireReserved(frame + (1 << UInt(order - 1)), order: order - 1)
  }

  private func requireReserved(_ state: FrameState, _ frame: UInt) {
    require(
      state.isReserved, "a frame that is allocated can be neither reserved nor unreserved", address(of: frame).raw)
  }

  private mutating func unreserve(_ frame: UInt, order: UInt8) {
    if let (head, state) = block(containing: frame), state.order >= order {
      // Split the block down to the run.
      var head = head
      var current = state.order
      while current > order {
        current -= 1
        halve(head, to: current, .reserved(current))
        if frame >= head + (1 << UInt(current)) { head += 1 << UInt(current) }
      }
      table.setState(.none, at: frame - firstFrame)
      give(frame, order: order)
      reservedFrameCount -= 1 << UInt64(order)
    } else {
      unreserve(frame, order: order - 1)
      unreserve(frame + (1 << UInt(order - 1)), order: order - 1)
    }
  }

  /// Splits the block in use of order `order` + 1 at `frame` into two blocks of `order` in `state`.
  mutating func halve(_ frame: UInt, to order: UInt8, _ state: FrameState) {
    index.splitUsed(frame, to: order)
    table.setState(state, at: frame - firstFrame)
    table.setState(state, at: frame + (1 << UInt(order)) - firstFrame)
  }
}
