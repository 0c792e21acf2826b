public import Addresses
import Assertions

// Runs of any number of frames, and runs at a given address. A run is a sequence of aligned blocks, each with a
// descriptor; deallocation walks them.

extension BuddyFrames {
  /// Allocates `frameCount` contiguous frames at the lowest address where a free block can hold them; nil when none
  /// can.
  ///
  /// The run starts at a multiple of the smallest power of two that is at least `frameCount`; the rest of the block
  /// stays free. Traps for 0 frames. Runs of more than 2^18 frames, 1 GiB, are never found: use ``allocate(at:)``.
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

  /// Allocates exactly `frames`, if all of them are free.
  ///
  /// Traps unless `frames` lies in the range and consists of whole frames.
  ///
  /// - Returns: Whether they were free; if not, nothing has changed.
  /// - Complexity: O(log n) for n frames, plus one step per GiB.
  public mutating func allocate(at frames: AddrRange<PhysAddr>) -> Bool {
    guard isFree(frames) else { return false }
    takeRuns(alignedRuns(in: frames))
    return true
  }

  /// Allocates the block of `order` at `address`, if it is free.
  ///
  /// Traps unless the block lies in the range and `address` is a multiple of its size.
  ///
  /// - Returns: Whether it was free; if not, nothing has changed.
  public mutating func allocate(_ order: FrameOrder, at address: PhysAddr) -> Bool {
    require(address.isAligned(to: order.byteCount), "a block must start at a multiple of its size, found", address.raw)
    return allocate(at: AddrRange(start: address, byteCount: order.byteCount))
  }

  /// Deallocates all blocks in `frames`, however they were allocated.
  ///
  /// Ends the process, with nothing changed, unless whole allocated blocks with one holder each fill `frames`.
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
