public import Addresses
import Assertions

// Runs of frames, reservations and ballooning. Each works on one bank at a time.

extension SparseFrames {
  /// Allocates `frameCount` contiguous frames that meet `constraints`, at the lowest address; nil when there are none.
  ///
  /// - Complexity: As for ``BuddyFrames/allocate(frameCount:_:)``, for each bank.
  public mutating func allocate(frameCount: UInt64, _ constraints: FrameRunConstraints) -> AddrRange<PhysAddr>? {
    let bounds = constraints.bounds
    var index = bounds.map { list.index(reaching: $0.start, of: bankCount) } ?? 0
    while index < bankCount {
      if let bounds, range(ofBank: index).start >= bounds.end { return nil }
      // SAFETY: the index is below the count, and nobody else uses the bank.
      if let run = unsafe list.bank(index).pointee.frames.allocate(frameCount: frameCount, constraints) {
        freeFrameCount -= frameCount
        return run
      }
      index += 1
    }
    return nil
  }

  /// Deallocates all blocks in `frames`, which must lie in one bank, however they were allocated.
  ///
  /// Ends the process, with nothing changed, unless whole allocated blocks with one holder each fill `frames`.
  public mutating func deallocate(_ frames: AddrRange<PhysAddr>) {
    if frames.isEmpty { return }
    withBank(containing: frames.start) { $0.deallocate(frames) }
  }

  /// What the frame that contains `address` is used for; traps when no bank has it.
  public func use(of address: PhysAddr) -> FrameUse {
    // SAFETY: the bank exists.
    unsafe list.bank(requireBank(of: address)).pointee.frames.use(of: address)
  }

  /// Reserves the free frames in `frames`, in whichever banks they are; holes are skipped. Traps when a frame is
  /// allocated.
  public mutating func reserve(_ frames: AddrRange<PhysAddr>) {
    forEachPart(of: frames.alignedOutward(to: PageSize.size4KiB.byteCount)) { $0.reserve($1) }
  }

  /// Frees the reserved frames in `frames`, in whichever banks they are; holes are skipped. Traps when one of them is
  /// not reserved, and for the frame at address 0.
  ///
  /// This is also how memory comes back that was taken out of the map before there was a frame table.
  public mutating func unreserve(_ frames: AddrRange<PhysAddr>) {
    forEachPart(of: frames.alignedInward(to: PageSize.size4KiB.byteCount)) { $0.unreserve($1) }
  }

  private mutating func forEachPart(
    of frames: AddrRange<PhysAddr>, _ body: (inout BuddyFrames, AddrRange<PhysAddr>) -> Void
  ) {
    for index in list.index(reaching: frames.start, of: bankCount)..<bankCount {
      guard let part = range(ofBank: index).intersection(frames) else { return }
      withBank(index) { body(&$0, part) }
    }
  }

  // MARK: Ballooning

  /// Takes a free block of `order` out of use, for a hypervisor that wants memory back; nil when there is none.
  ///
  /// Its frames count as reserved. ``deflate(_:order:)`` brings them back.
  /// - Complexity: As for `allocate(_:)`.
  public mutating func inflate(_ order: FrameOrder) -> PhysAddr? {
    guard let address = allocate(order) else { return nil }
    withBank(containing: address) { $0.reserveAllocated(address, order: order) }
    return address
  }

  /// Makes a block usable again that ``inflate(_:)`` took out of use; traps unless its frames are reserved.
  public mutating func deflate(_ address: PhysAddr, order: FrameOrder) {
    unreserve(AddrRange(start: address, byteCount: order.byteCount))
  }
}
