public import Addresses
import Assertions

// Runs of frames that need not be a power of two, and runs at a given address. A run is held as the aligned blocks
// that it is made of, each with a descriptor; deallocation walks those.

extension BuddyFrames {
  /// `frameCount` frames that lie side by side, at the lowest address where a block that can hold them is free; nil
  /// when there is none.
  ///
  /// The run starts at a multiple of the smallest power of two that is not below `frameCount`; what the block has
  /// beyond the run stays free. Traps for 0 frames. More than 2^18 frames, 1 GiB, are never found:
  /// ``allocate(at:)`` takes those.
  ///
  /// - Complexity: O(log `frameCount`)
  public mutating func allocate(frameCount: UInt64) -> AddrRange<PhysAddr>? {
    require(frameCount > 0, "a run of frames must have at least one")
    guard let order = FrameOrder(fitting: frameCount), let frame = index.lowestRun(order: order.rawValue) else {
      return nil
    }
    takeRuns(AlignedRuns(from: frame, to: frame + UInt(frameCount)))
    return AddrRange(start: address(of: frame), byteCount: frameCount << 12)
  }

  /// Allocates exactly the frames of `frames`, if they are all free.
  ///
  /// Traps unless `frames` is part of the range and made of whole frames.
  ///
  /// - Returns: Whether they were; if not, nothing has changed.
  /// - Complexity: O(log n) for n frames, and one more for each GiB.
  public mutating func allocate(at frames: AddrRange<PhysAddr>) -> Bool {
    guard isFree(frames) else { return false }
    takeRuns(alignedRuns(in: frames))
    return true
  }

  /// Allocates the block of `order` at `address`, if it is free.
  ///
  /// Traps unless the block is part of the range and `address` is a multiple of its size.
  ///
  /// - Returns: Whether it was; if not, nothing has changed.
  public mutating func allocate(_ order: FrameOrder, at address: PhysAddr) -> Bool {
    require(address.isAligned(to: order.byteCount), "a block must start at a multiple of its size, found", address.raw)
    return allocate(at: AddrRange(start: address, byteCount: order.byteCount))
  }

  /// Takes back all blocks in `frames`, however they were allocated; they must fill it.
  ///
  /// Ends the process unless `frames` is made of whole allocated blocks with one holder each; nothing has changed then.
  ///
  /// - Complexity: O(m) for m blocks.
  public mutating func deallocate(_ frames: AddrRange<PhysAddr>) {
    _ = alignedRuns(in: frames)
    var address = frames.start
    while address < frames.end {
      let order = requireBlock(at: address).order
      requireSoleHolder(of: address, order: order)
      require(
        frames.end.byteCount(from: address) >= FrameOrder(order).byteCount,
        "a range given back must not end inside a block, found one at", address.raw)
      address = address + FrameOrder(order).byteCount
    }
    address = frames.start
    while address < frames.end {
      let order = FrameOrder(requireBlock(at: address).order)
      deallocate(address, order: order)
      address = address + order.byteCount
    }
  }

  private mutating func takeRuns(_ runs: AlignedRuns) {
    var runs = runs
    while let (frame, order) = runs.next() {
      take(frame, order: order)
      table.setState(.allocated(order), at: frame - firstFrame)
    }
  }
}
