import Assertions

/// The magazines of one processor, or thread, for one ``SlabCache``: most allocations go through them without a lock.
///
/// There are two. The *loaded* one serves requests. The *previous* one is full or empty. When the loaded one is empty
/// and the previous one full, or the other way round, they change places. Only when that does not help, the processor
/// goes to the depot. So at least a magazine's worth of requests lies between two visits there, in whatever order
/// allocations and deallocations come.
///
/// Nothing here is synchronised. A kernel keeps one value for each processor, and disables preemption while it uses it.
/// If interrupt handlers allocate from the cache, it disables interrupts: `InterruptControl.withInterruptsDisabled(_:)`.
///
/// ``SlabCache/drain(_:to:)`` must empty the magazines before they are destroyed. Otherwise the process ends, since the
/// objects would be lost.
public struct SlabMagazines: ~Copyable, Sendable {
  @usableFromInline var loaded = LoadedMagazine()
  /// Full or empty, or no magazine at all.
  @usableFromInline var previous = LoadedMagazine()

  /// The tag of the cache that these magazines belong to.
  @usableFromInline let tag: UInt

  @usableFromInline init(tag: UInt) { self.tag = tag }

  /// How many objects are in the magazines.
  public var objectCount: UInt { loaded.count + previous.count }

  deinit {
    require(objectCount == 0 && loaded.bottom == 0, "a processor's magazines must be drained before they go away")
  }
}
