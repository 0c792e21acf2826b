public import Addresses
public import MemoryProtocols
public import SpinLocks

// An object cache: three layers, as in Bonwick's papers.
//
//   SlabMagazines     a processor's own, no lock        most requests end here
//   MagazineDepot     under the cache's lock            exchanges whole magazines
//   SlabPool          under the cache's lock            slabs with their bits
//   frames            under their own lock              blocks of frames for slabs
//
// The cache's lock is a leaf: constructors, destructors and the frame allocator run without it. Two processors may
// therefore make a slab at the same time where one would have been enough; the second slab serves later requests.

/// When a ``SlabCache`` checks what is deallocated.
public enum SlabChecks: Sendable {
  /// When an object reaches its slab. This costs nothing, and finds an object of another cache or one that was freed
  /// twice some time after the error. Between two visits to the depot such an object may be allocated again.
  case atSlabs
  /// At every call: the process ends in the very call that is wrong. A pair of calls then costs some 200 instructions
  /// instead of 24, and each object has one more bit.
  case atEveryCall
}

/// A cache of constructed objects over frames, for all processors of a kernel.
///
/// ```swift
/// let inodes = SlabCache<Inode, OffsetPhysMapper, SpinLock>("inode", mapper: directMap)
///
/// var own = inodes.makeMagazines()                             // one for each processor
/// let inode = inodes.allocate(through: &own, from: frames)     // nil when frames run out
/// inodes.deallocate(inode, through: &own, to: frames)
/// ```
///
/// `Object` has a constructor and a destructor, which run once for each object of a slab: see ``SlabObject``. `Lock`
/// protects what processors share: a `SpinLock`, or an `InterruptSafeLock` if interrupt handlers allocate.
/// `Mapper` must map a slab, which is a block of up to 32 frames, at a multiple of the slab's size, as a kernel's direct
/// map does.
///
/// A cache keeps memory that it could give back, within the bounds of ``SlabCacheLimits``. Call ``reap(to:)`` every few
/// seconds, and ``shrink(by:to:)`` when memory is short.
///
/// | file | what is in it |
/// | --- | --- |
/// | `SlabCache+Magazines.swift` | allocation through a processor's magazines |
/// | `SlabCache+Slabs.swift` | allocation without magazines; making and releasing slabs |
/// | `SlabCache+Reaping.swift` | giving memory back; the end of a cache |
/// | `SlabCache+Statistics.swift` | what a cache holds |
public struct SlabCache<
  Object: SlabObject & ~Copyable, Mapper: PhysMapper & Sendable, Lock: LockKind & ~Copyable
>: ~Copyable, Sendable {
  /// The name, for statistics.
  public let name: StaticString

  /// How slabs are divided.
  public let layout: SlabLayout

  /// When deallocations are checked.
  public let checks: SlabChecks

  /// How slabs of magazines are divided.
  @usableFromInline let magazineLayout: SlabLayout
  @usableFromInline let mapper: Mapper
  @usableFromInline let tag: UInt
  @usableFromInline let state: LockedBy<Lock, SlabCacheState>

  /// An empty cache; it takes frames as it needs them.
  ///
  /// - Parameters:
  ///   - name: A name for statistics.
  ///   - alignment: The alignment of objects in bytes, where their type's is not enough: 64 for cache lines of their
  ///     own, say. Traps unless it is a power of two up to ``SlabLayout/alignmentMaximum``.
  ///   - mapper: How the processor reaches frames.
  ///   - checks: When deallocations are checked.
  ///
  /// Traps when an object has more than ``SlabLayout/objectByteMaximum`` bytes.
  public init(
    _ name: StaticString, alignment: UInt = 1, mapper: Mapper, checks: SlabChecks = .atSlabs
  ) {
    self.name = name
    self.mapper = mapper
    self.checks = checks
    layout = SlabLayout(
      byteCount: UInt(MemoryLayout<Object>.size), alignment: max(alignment, UInt(MemoryLayout<Object>.alignment)),
      hasHeldBits: checks == .atEveryCall)
    tag = SlabTag.next()
    let limits = SlabCacheLimits.magazineCapacity
    let wanted = SlabCacheLimits.magazineByteMaximum / layout.objectByteCount
    let capacity = min(max(wanted, limits.lowerBound), limits.upperBound)
    magazineLayout = SlabLayout(
      byteCount: Magazine.byteCount(capacity: capacity), alignment: 1, hasHeldBits: false)
    state = LockedBy(SlabCacheState(layout, magazineLayout, capacity: capacity, tag: tag))
  }

  /// The object at an address.
  @inlinable @inline(__always)
  func pointer(_ object: VirtAddr) -> UnsafeMutablePointer<Object> {
    // SAFETY: the slab's memory is bound to objects, which are initialised in it.
    unsafe object.unsafePointer.assumingMemoryBound(to: Object.self)
  }

  /// Notes that an object changes hands, and ends the process if it was not in the other ones; only with checks at
  /// every call.
  @inlinable @inline(__always)
  func noteHeld(_ isHeld: Bool, _ object: VirtAddr) {
    if checks == .atEveryCall { Slab.noteHeld(isHeld, object, layout, tag: tag) }
  }
}
