public import MemoryProtocols
public import SpinLocks

extension SlabCache where Object: ~Copyable, Lock: ~Copyable {
  /// Gives back what was not needed since the last call: a kernel calls this every 15 seconds or so.
  ///
  /// Magazines that lay in the depot all the while return their objects to the slabs, and empty slabs return to
  /// `frames`. What the processors' magazines hold stays; ``drain(_:to:)`` returns that, on each processor.
  ///
  /// - Returns: How many frames it gave back.
  /// - Complexity: Takes the lock for one magazine or slab at a time.
  @discardableResult @inlinable
  public func reap<Frames: SharedFrameAllocator & ~Copyable>(to frames: borrowing Frames) -> UInt64 {
    while state.withLock({ $0.discardOne(onlyIdle: true) }) {}
    state.withLock { $0.startInterval() }
    return releaseEmptySlabs(above: 0, to: frames)
  }

  /// Gives back up to about `frameCount` frames, whether they were needed lately or not: for when memory is short.
  ///
  /// Empty slabs go first, then the depot, one magazine after the other. It stops when it has given back as many frames
  /// as asked for, or has nothing left to give.
  ///
  /// - Returns: How many frames it gave back.
  @discardableResult @inlinable
  public func shrink<Frames: SharedFrameAllocator & ~Copyable>(
    by frameCount: UInt64, to frames: borrowing Frames
  ) -> UInt64 {
    var released = releaseEmptySlabs(above: 0, to: frames)
    while released < frameCount, state.withLock({ $0.discardOne(onlyIdle: false) }) {
      released += releaseEmptySlabs(above: 0, to: frames)
    }
    return released
  }

  /// Gives back everything that nobody holds: the end of a cache, once the processors' magazines are drained.
  ///
  /// The cache can be used again. It may go away when this returns 0; otherwise ``forEachObjectInUse(_:)`` says which
  /// objects are left.
  ///
  /// - Returns: How many objects are in use.
  @inlinable
  public func drain<Frames: SharedFrameAllocator & ~Copyable>(to frames: borrowing Frames) -> UInt {
    while state.withLock({ $0.discardOne(onlyIdle: false) }) {}
    releaseEmptySlabs(above: 0, to: frames)
    return state.withLock { $0.takenCount }
  }

  /// Visits every object that is out of its slab: those in use, and those in magazines. After ``drain(to:)``, only those
  /// in use and in processors' magazines that were not drained.
  ///
  /// Runs under the cache's lock: `body` must not use the cache.
  @inlinable
  public func forEachObjectInUse(_ body: (UnsafeMutablePointer<Object>) -> Void) {
    state.withLock { state in
      // SAFETY: slabs hold objects of this cache only.
      state.forEachTaken { unsafe body(pointer($0)) }
    }
  }
}
