public import Addresses
public import SpinLocks

/// A buddy allocator that threads share, behind a spin lock.
///
/// What looks at other holders' frames, ``BuddyFrames/use(of:)`` and ``BuddyFrames/checkConsistency()``, needs the
/// caches to be at rest, since they mark their frames without the lock.
///
/// For one frame at a time, each thread (or processor) puts a ``FrameCache`` of its own in front: most requests then
/// take no lock, and the others take it once for a whole batch.
///
/// ```swift
/// let shared = LockedFrames(frames)
/// var cache = FrameCache(for: shared)     // one for each thread
/// let frame = shared.allocate(.min, through: &cache)
/// shared.drain(&cache)                    // before the thread ends
/// ```
public struct LockedFrames: ~Copyable, Sendable {
  /// The allocator, for everything that is not here: ranges, reservations, reference counts.
  public let frames: Locked<BuddyFrames>

  /// What is known of each frame. Owner words may be used without the lock, by whoever holds the frame.
  public let table: FrameTable

  /// Puts an allocator behind a lock.
  public init(_ frames: consuming sending BuddyFrames) {
    table = frames.table
    self.frames = Locked(frames)
  }

  /// The lowest free block of `order`, or nil when there is none; blocks that wait in caches are not free.
  public func allocate(_ order: FrameOrder) -> PhysAddr? {
    frames.withLock { $0.allocate(order) }
  }

  /// Takes back a block that was allocated with this order; anything else ends the process.
  public func deallocate(_ address: PhysAddr, order: FrameOrder) {
    frames.withLock { $0.deallocate(address, order: order) }
  }

  /// A block of `order`: one that waits in the cache, if there is one; nil when neither it nor the allocator has one.
  ///
  /// An empty cache is filled with a batch under one lock. Which block it is depends on the cache: the one that was
  /// given back last comes first, since its cache lines are warm.
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

  /// Takes back a block that was allocated with this order, with or without a cache; anything else ends the process.
  ///
  /// It waits in the cache; a full one gives half of its blocks back under one lock.
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

  /// Gives everything that waits in a cache back to the allocator.
  public func drain(_ cache: inout FrameCache) {
    cache.requireTable(table)
    cache.frames.drain(cache.frames.count, to: self)
    cache.hugeFrames.drain(cache.hugeFrames.count, to: self)
  }

  /// How many frames are free, those that wait in caches not counted.
  public var freeFrameCount: UInt64 { frames.withLock { $0.freeFrameCount } }
}
