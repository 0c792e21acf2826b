import Addresses
import SpinLocks

/// What a slab cache holds, as a line of `/proc/slabinfo`.
public struct SlabCacheStatistics: Hashable, Sendable {
  /// How many slabs of objects there are.
  public var slabCount: UInt
  /// How many of them have no object outside.
  public var emptySlabCount: UInt
  /// How many frames the cache has, those of its magazines included.
  public var frameCount: UInt64
  /// How many objects are in use or in processors' magazines.
  public var usedObjectCount: UInt
  /// How many objects are in magazines of the depot.
  public var depotObjectCount: UInt
  /// How many objects are in their slabs.
  public var freeObjectCount: UInt
  /// How many slabs of objects were made so far.
  public var madeSlabCount: UInt
  /// How many slabs of objects were released so far.
  public var releasedSlabCount: UInt
  /// How often there was no frame for a slab.
  public var failureCount: UInt
}

extension SlabCache where Object: ~Copyable, Lock: ~Copyable {
  /// What the cache holds now.
  ///
  /// - Complexity: O(1), one lock.
  public var statistics: SlabCacheStatistics { state.withLock { $0.statistics } }
}

extension SlabCacheState {
  var statistics: SlabCacheStatistics {
    let depotObjectCount = depot.full.count * capacity
    let (objectOrder, magazineOrder) = (objects.layout.order, magazines.layout.order)
    return SlabCacheStatistics(
      slabCount: objects.slabCount,
      emptySlabCount: objects.emptySlabCount,
      frameCount: UInt64(objects.slabCount) * objectOrder.frameCount
        + UInt64(magazines.slabCount) * magazineOrder.frameCount,
      usedObjectCount: objects.takenCount - depotObjectCount,
      depotObjectCount: depotObjectCount,
      freeObjectCount: objects.slabCount * objects.layout.objectCount - objects.takenCount,
      madeSlabCount: madeSlabCount,
      releasedSlabCount: releasedSlabCount,
      failureCount: failureCount)
  }
}
