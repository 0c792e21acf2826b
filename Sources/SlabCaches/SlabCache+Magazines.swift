public import Addresses
public import Assertions
public import MemoryProtocols
public import SpinLocks

extension SlabCache where Object: ~Copyable, Lock: ~Copyable {
  /// Magazines for one processor, empty at first.
  @inlinable
  public func makeMagazines() -> SlabMagazines { SlabMagazines(tag: tag) }

  /// An object, from the processor's magazines if they have one; nil when there is no frame for another slab.
  ///
  /// Its content is what its constructor or its last holder left.
  ///
  /// - Complexity: O(1) amortised: one visit to the depot or the slabs for a magazine of objects. O(n) when it makes a
  ///   slab of n objects.
  @inlinable @inline(__always)
  public func allocate<Frames: SharedFrameAllocator & ~Copyable>(
    through own: inout SlabMagazines, from frames: borrowing Frames
  ) -> UnsafeMutablePointer<Object>? {
    require(own.tag == tag, "a processor's magazines must be used with the slab cache they were made for")
    // SAFETY: as for `pointer`, below.
    if own.loaded.isEmpty { return unsafe allocateMissed(through: &own, from: frames) }
    let object = own.loaded.pop()
    noteHeld(true, object)
    // SAFETY: magazines hold objects of this cache only.
    return unsafe pointer(object)
  }

  /// Deallocates an object of this cache. Its holder leaves it as the next one expects it: see ``SlabObject``.
  ///
  /// An object of another cache, or one that was deallocated already, ends the process: at once or later, as ``checks``
  /// says.
  ///
  /// - Complexity: O(1) amortised: one visit to the depot for a magazine of objects.
  @inlinable @inline(__always)
  public func deallocate<Frames: SharedFrameAllocator & ~Copyable>(
    _ object: UnsafeMutablePointer<Object>, through own: inout SlabMagazines, to frames: borrowing Frames
  ) {
    require(own.tag == tag, "a processor's magazines must be used with the slab cache they were made for")
    // SAFETY: only the address is used.
    let object = unsafe VirtAddr(UnsafeRawPointer(object))
    noteHeld(false, object)
    if own.loaded.isFull { return deallocateMissed(object, through: &own, to: frames) }
    own.loaded.push(object)
  }

  /// Returns the objects of a processor's magazines, before the magazines are destroyed or when the processor goes
  /// offline. They can be used again.
  @inlinable
  public func drain<Frames: SharedFrameAllocator & ~Copyable>(
    _ own: inout SlabMagazines, to frames: borrowing Frames
  ) {
    require(own.tag == tag, "a processor's magazines must be used with the slab cache they were made for")
    state.withLock { $0.drain(&own) }
    releaseEmptySlabs(above: SlabCacheLimits.emptySlabMaximum, to: frames)
  }

  /// An object when the loaded magazine is empty.
  @inlinable @inline(never)
  func allocateMissed<Frames: SharedFrameAllocator & ~Copyable>(
    through own: inout SlabMagazines, from frames: borrowing Frames
  ) -> UnsafeMutablePointer<Object>? {
    guard let object = supply(&own, from: frames) else { return nil }
    noteHeld(true, object)
    // SAFETY: magazines hold objects of this cache only.
    return unsafe pointer(object)
  }

  @inlinable
  func supply<Frames: SharedFrameAllocator & ~Copyable>(
    _ own: inout SlabMagazines, from frames: borrowing Frames
  ) -> VirtAddr? {
    if !own.previous.isEmpty {
      swap(&own.loaded, &own.previous)
      return own.loaded.pop()
    }
    repeat {
      if let object = state.withLock({ $0.supply(&own) }) {
        // The object comes first: the last frame must not go to a magazine.
        if own.loaded.magazine == .none { own.loaded = takeEmptyMagazine(from: frames) }
        return object
      }
    } while makeSlab(from: frames)
    return nil
  }

  /// Deallocates an object when the loaded magazine is full, or there is none.
  @inlinable @inline(never)
  func deallocateMissed<Frames: SharedFrameAllocator & ~Copyable>(
    _ object: VirtAddr, through own: inout SlabMagazines, to frames: borrowing Frames
  ) {
    if own.previous.isEmpty && own.previous.magazine != .none {
      swap(&own.loaded, &own.previous)
      return own.loaded.push(object)
    }
    var hasSurplus = state.withLock { $0.makeRoom(&own) }
    if own.loaded.isFull { own.loaded = takeEmptyMagazine(from: frames) }
    if own.loaded.isFull {
      // No memory for another magazine: the full one, if there is one, stays loaded.
      swap(&own.loaded, &own.previous)
      hasSurplus = state.withLock { $0.putObject(object) }
    } else {
      own.loaded.push(object)
    }
    if hasSurplus { releaseEmptySlabs(above: SlabCacheLimits.emptySlabMaximum, to: frames) }
  }

  /// An empty magazine, or none when there is no frame for more magazines.
  @inlinable
  func takeEmptyMagazine<Frames: SharedFrameAllocator & ~Copyable>(
    from frames: borrowing Frames
  ) -> LoadedMagazine {
    repeat {
      if let magazine = state.withLock({ $0.takeEmptyMagazine() }) { return magazine }
    } while makeMagazineSlab(from: frames)
    return LoadedMagazine()
  }
}
