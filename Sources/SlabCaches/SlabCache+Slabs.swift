public import Addresses
public import Assertions
public import MemoryProtocols
public import SpinLocks

extension SlabCache where Object: ~Copyable, Lock: ~Copyable {
  /// An object without the use of magazines, for places that have none: early boot, rare objects. Nil when there is no
  /// frame for another slab.
  ///
  /// - Complexity: O(1), one lock; O(n) when it makes a slab of n objects.
  @inlinable
  public func allocate<Frames: SharedFrameAllocator & ~Copyable>(
    from frames: borrowing Frames
  ) -> UnsafeMutablePointer<Object>? {
    repeat {
      if let object = state.withLock({ $0.takeObject() }) {
        noteHeld(true, object)
        // SAFETY: slabs hold objects of this cache only.
        return unsafe pointer(object)
      }
    } while makeSlab(from: frames)
    return nil
  }

  /// Deallocates an object of this cache without the use of magazines; any other ends the process.
  ///
  /// - Complexity: O(1), one lock; O(n) when it releases a slab of n objects.
  @inlinable
  public func deallocate<Frames: SharedFrameAllocator & ~Copyable>(
    _ object: UnsafeMutablePointer<Object>, to frames: borrowing Frames
  ) {
    // SAFETY: only the address is used.
    let object = unsafe VirtAddr(UnsafeRawPointer(object))
    noteHeld(false, object)
    let hasSurplus = state.withLock { $0.putObject(object) }
    if hasSurplus { releaseEmptySlabs(above: SlabCacheLimits.emptySlabMaximum, to: frames) }
  }

  /// Makes a slab, and constructs its objects; false when there is no frame for it.
  @inlinable
  func makeSlab<Frames: SharedFrameAllocator & ~Copyable>(from frames: borrowing Frames) -> Bool {
    guard let block = frames.allocate(layout.order) else {
      state.withLock { $0.add(nil) }
      return false
    }
    let slab = begin(block, layout, tag: tag)
    for index in 0..<layout.objectCount {
      // SAFETY: the object's bytes are inside the new slab and nobody else's; the layout aligns them.
      unsafe slab.object(index, layout).unsafePointer.bindMemory(to: Object.self, capacity: 1).initialize(to: Object())
    }
    state.withLock { $0.add(slab) }
    return true
  }

  /// Makes a slab of magazines; false when there is no frame for it.
  @inlinable
  func makeMagazineSlab<Frames: SharedFrameAllocator & ~Copyable>(from frames: borrowing Frames) -> Bool {
    guard let block = frames.allocate(magazineLayout.order) else { return false }
    let slab = begin(block, magazineLayout, tag: ~tag)
    state.withLock { $0.addMagazines(slab) }
    return true
  }

  @inlinable
  func begin(_ block: PhysAddr, _ layout: SlabLayout, tag: UInt) -> Slab {
    let address = mapper.physToVirt(block)
    require(
      address.isAligned(to: layout.slabByteCount), "a mapper must map a slab at a multiple of its size, found",
      UInt64(address.raw))
    let slab = Slab(at: address.raw)
    slab.begin(layout, firstOffset: layout.firstOffset(ofSlabAt: block), tag: tag)
    return slab
  }

  /// Releases empty slabs, as long as there are more than `count`, and those of magazines likewise; returns how many
  /// frames that were.
  @discardableResult @inlinable
  func releaseEmptySlabs<Frames: SharedFrameAllocator & ~Copyable>(
    above count: UInt, to frames: borrowing Frames
  ) -> UInt64 {
    var frameCount: UInt64 = 0
    while let slab = state.withLock({ $0.removeEmptySlab(above: count) }) {
      for index in 0..<layout.objectCount {
        // SAFETY: every object of an empty slab is initialised, and nobody holds one.
        unsafe pointer(slab.object(index, layout)).deinitialize(count: 1)
      }
      frameCount += release(slab, layout, to: frames)
    }
    while let slab = state.withLock({ $0.removeEmptyMagazineSlab(above: count) }) {
      frameCount += release(slab, magazineLayout, to: frames)
    }
    return frameCount
  }

  @inlinable
  func release<Frames: SharedFrameAllocator & ~Copyable>(
    _ slab: Slab, _ layout: SlabLayout, to frames: borrowing Frames
  ) -> UInt64 {
    slab.end()
    frames.deallocate(mapper.virtToPhys(VirtAddr(slab.start)), order: layout.order)
    return layout.order.frameCount
  }
}
