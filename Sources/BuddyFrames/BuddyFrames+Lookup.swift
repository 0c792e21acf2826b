public import Addresses
import Assertions

/// What a frame is used for.
public enum FrameUse: Equatable, Sendable {
  /// It is free.
  case free
  /// It is reserved by ``BuddyFrames/reserve(_:)``, in a block of this order at this address.
  case reserved(PhysAddr, FrameOrder)
  /// It waits in a ``FrameCache``, in a block of this order at this address.
  case cached(PhysAddr, FrameOrder)
  /// It is allocated, in a block of this order at this address.
  case allocated(PhysAddr, FrameOrder)
}

extension BuddyFrames {
  /// What the frame that contains `address` is used for; traps outside the range.
  ///
  /// - Complexity: O(1): reads at most one descriptor per order.
  public func use(of address: PhysAddr) -> FrameUse {
    require(contains(address), "a frame must be one of this allocator's, found", address.raw)
    let frame = number(of: address)
    if index.isFree(frame, order: 0) { return .free }
    guard let (head, state) = block(containing: frame) else {
      fail("the frame table is damaged: no block contains the used frame", address.raw)
    }
    let start = self.address(of: head)
    let order = FrameOrder(state.order)
    if state.isCached { return .cached(start, order) }
    return state.isReserved ? .reserved(start, order) : .allocated(start, order)
  }

  /// Whether every frame of `frames` is free; traps unless `frames` lies in the range and consists of whole frames.
  ///
  /// - Complexity: O(log n) for n frames, plus one step per GiB.
  public func isFree(_ frames: AddrRange<PhysAddr>) -> Bool {
    var pieces = alignedRuns(in: frames)
    while let (frame, order) = pieces.next() {
      if !index.isFree(frame, order: order) { return false }
    }
    return true
  }

  /// The block in use that contains a frame: its first frame and its descriptor.
  func block(containing frame: UInt) -> (head: UInt, state: FrameState)? {
    for order in 0...UInt8(18) {
      let head = frame & ~((1 << UInt(order)) - 1)
      guard head >= firstFrame else { return nil }
      let state = table.state(at: head - firstFrame)
      if state != .none { return state.order >= order ? (head, state) : nil }
    }
    return nil
  }

  /// Splits `frames` into aligned runs; traps unless `frames` lies in the range and consists of whole frames.
  func alignedRuns(in frames: AddrRange<PhysAddr>) -> AlignedRuns {
    require(range.contains(frames), "frames must be this allocator's, found a range that starts at", frames.start.raw)
    require(
      frames.isAligned(to: PageSize.size4KiB.byteCount),
      "a range of frames must start and end at multiples of 4 KiB, found",
      frames.start.raw)
    return AlignedRuns(from: number(of: frames.start), to: number(of: frames.end))
  }
}
