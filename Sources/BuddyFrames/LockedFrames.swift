public import Addresses
public import MemoryProtocols
public import SpinLocks

/// A buddy allocator that threads share, behind a `SpinLock`.
public typealias LockedFrames = LockedFramesBy<SpinLock>

/// A buddy allocator that threads share, behind a lock.
///
/// With an `InterruptSafeLock`, interrupt handlers can use it too.
///
/// ``BuddyFrames/use(of:)`` and ``BuddyFrames/checkConsistency()`` read the descriptors of other holders' frames.
/// Caches must be idle meanwhile, since they mark their frames without the lock.
///
/// For single frames, each thread (or processor) puts its own ``FrameCache`` in front: most requests then take no lock,
/// and the others take it once for a whole batch.
///
/// ```swift
/// let shared = LockedFrames(frames)
/// var cache = FrameCache(for: shared)     // one for each thread
/// let frame = shared.allocate(.min, through: &cache)
/// shared.drain(&cache)                    // before the thread ends
/// ```
public struct LockedFramesBy<Lock: LockKind & ~Copyable>: ~Copyable, Sendable, SharedFrameAllocator {
  /// The allocator, for everything not offered here: ranges, reservations, reference counts.
  public let frames: LockedBy<Lock, BuddyFrames>

  /// The state of each frame. The holder of a frame may use its owner word without the lock.
  public let table: FrameTable

  /// Puts an allocator behind a lock.
  @inlinable
  public init(_ frames: consuming sending BuddyFrames) {
    table = frames.table
    self.frames = LockedBy(frames)
  }

  /// The lowest free block of `order`, or nil when there is none; cached blocks do not count as free.
  @inlinable
  public func allocate(_ order: FrameOrder) -> PhysAddr? {
    frames.withLock { $0.allocate(order) }
  }

  /// Deallocates a block that was allocated with this order; any other ends the process.
  @inlinable
  public func deallocate(_ address: PhysAddr, order: FrameOrder) {
    frames.withLock { $0.deallocate(address, order: order) }
  }

  /// How many frames are free, cached ones not counted.
  @inlinable
  public var freeFrameCount: UInt64 { frames.withLock { $0.freeFrameCount } }
}

// A frame cache is made for the allocator behind a spin lock, and interrupt handlers have none.
extension LockedFramesBy where Lock == SpinLock {
  /// A block of `order`, from the cache if it has one; nil when neither the cache nor the allocator has one.
  ///
  /// One lock fills an empty cache with a batch. The cache decides which block it is: the one freed last comes first,
  /// since its cache lines are warm.
  ///
  /// - Complexity: O(1) amortised.
  public func allocate(_ order: FrameOrder, through cache: inout FrameCache) -> PhysAddr? {
    cache.requireTable(table)
    switch order.rawValue {
    case 0: return cache.frames.allocate(from: self)
    case 9: return cache.hugeFrames.allocate(from: self)
    default: return allocate(order)
    }
  }

  /// Deallocates a block that was allocated with this order, with or without a cache; any other ends the process.
  ///
  /// The block goes into the cache; a full cache first returns half of its blocks under one lock.
  ///
  /// - Complexity: O(1) amortised.
  public func deallocate(_ address: PhysAddr, order: FrameOrder, through cache: inout FrameCache) {
    cache.requireTable(table)
    switch order.rawValue {
    case 0: cache.frames.deallocate(address, to: self)
    case 9: cache.hugeFrames.deallocate(address, to: self)
    default: deallocate(address, order: order)
    }
  }

  /// Returns everything in a cache to the allocator.
  public func drain(_ cache: inout FrameCache) {
    cache.requireTable(table)
    cache.frames.drain(cache.frames.count, to: self)
    cache.hugeFrames.drain(cache.hugeFrames.count, to: self)
  }
}
