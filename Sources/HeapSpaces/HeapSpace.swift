internal import Addresses
internal import Assertions
internal import BuddyFrames
internal import CLabPlatform
internal import MemoryRegions
internal import Synchronization

// The address range of a heap's granules, and the tables that describe them.
//
//     base                                                                        base + 64 KiB * granuleCount
//     | granule table | space record | frame table (unless it is a mapping of its own) | granules: spans, arenas ... |
//
// The granule table has 64 bytes for each granule of the range, its own granules included. The descriptor for an
// address p of the range is thus at base + 64 * ((p - base) >> 16): a subtraction, a compare, a shift. A buddy,
// `BuddyFrames`, knows which granules are free. It counts each granule as one frame and allocates the lowest. Table and
// granules are committed in steps as the buddy reaches them.

/// A space, by the address of its record.
@frozen
package struct HeapSpace: Equatable, Sendable {
  package let address: UInt

  package init(address: UInt) { self.address = address }

  package var fields: SpaceRecord {
    // SAFETY: a space is made only by `create`, and its record lives as long as the range.
    @inline(__always) unsafeAddress { unsafe UnsafePointer(bitPattern: address).unsafelyUnwrapped }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
    }
  }

  /// The first granule that is not committed. Relaxed: a thread gets a pointer into a granule from the thread that
  /// committed the granule, or from a later one.
  package var committedEnd: UInt {
    get { fields.committedEnd.load(ordering: .relaxed) }
    nonmutating set { fields.committedEnd.store(newValue, ordering: .relaxed) }
  }

  /// The time, in milliseconds of the owner's clock.
  package var milliseconds: UInt { fields.hooks.milliseconds() }

  /// Takes the space's lock; false when this thread holds it already.
  func lock() -> Bool { fields.lock.acquire(fields.hooks.wait) }
  func unlock() { fields.lock.release() }

  /// Takes the arenas' lock; false when this thread holds it already.
  func lockArenas() -> Bool { fields.arenaLock.acquire(fields.hooks.wait) }
  func unlockArenas() { fields.arenaLock.release() }
}

// Creating a space.
extension HeapSpace {
  /// A space over a reservation; nil when there is no memory for its tables.
  package static func create(over reservation: HeapReservation, hooks: SpaceHooks) -> HeapSpace? {
    create(base: reservation.base, byteCount: reservation.byteCount, reservation: reservation, hooks: hooks)
  }

  /// A space over `byteCount` bytes of the caller's memory from `base` on, a multiple of 64 KiB; nil when they are too
  /// few. Only one thread at a time may use it.
  package static func create(base: UInt, byteCount: UInt) -> HeapSpace? {
    let hooks = SpaceHooks(wait: { _ in lab_platform_yield() }, milliseconds: { 0 }, didCommit: { _ in })
    return create(base: base, byteCount: byteCount, reservation: nil, hooks: hooks)
  }

  private static func create(
    base: UInt, byteCount: UInt, reservation: HeapReservation?, hooks: SpaceHooks
  ) -> HeapSpace? {
    // The compiler knows the answers: nothing of this is left in a library.
    require(MemoryLayout<SpanRecord>.size == Int(Granule.recordByteCount), "a span's descriptor must have 64 bytes")
    require(MemoryLayout<ArenaRecord>.size <= Int(Granule.recordByteCount), "an arena's must have no more")
    let granuleCount = byteCount / Granule.byteCount
    let tableByteCount = granuleCount * Granule.recordByteCount
    let recordByteCount = Granule.roundedUpToRecord(UInt(MemoryLayout<SpaceRecord>.size))
    let granules = HeapSpace.frames(from: 0, to: granuleCount)
    let frameTableByteCount = BuddyFrames.tableByteCount(for: granules)
    var headByteCount = tableByteCount + recordByteCount
    var frameTable = base + headByteCount
    if reservation == nil { headByteCount += frameTableByteCount }
    let headGranuleCount = (headByteCount + Granule.byteCount - 1) / Granule.byteCount
    guard granuleCount > headGranuleCount else { return nil }
    var reservation = reservation
    if reservation != nil {
      let mappingByteCount = SystemPages.rounded(frameTableByteCount)
      guard let mapping = try? SystemPages.map(byteCount: mappingByteCount) else { return nil }
      // The record's page. The granule table's pages come with the granules that they describe.
      let recordPage = (base + tableByteCount) & ~(SystemPages.byteCount - 1)
      let pageByteCount = (base + headGranuleCount * Granule.byteCount) - recordPage
      guard reservation?.commit(recordPage, byteCount: pageByteCount) == true else {
        try? SystemPages.unmap(mapping, byteCount: mappingByteCount)
        return nil
      }
      frameTable = mapping
    } else {
      lab_platform_zero(base, headByteCount)
    }
    let space = HeapSpace(address: base + tableByteCount)
    let frames = BuddyFrames(
      over: HeapSpace.frames(from: headGranuleCount, to: granuleCount),
      tableIn: AddrRange(start: VirtAddr(frameTable), byteCount: frameTableByteCount), holding: .zeros)
    // SAFETY: the record lies in the range, is aligned to 64 bytes and committed, and nothing else uses its memory.
    unsafe UnsafeMutablePointer<SpaceRecord>(bitPattern: space.address).unsafelyUnwrapped.initialize(
      to: SpaceRecord(frames: frames, reservation: reservation, hooks: hooks))
    space.fields.base = base
    space.fields.granuleCount = granuleCount
    space.fields.firstGranule = headGranuleCount
    space.fields.buddyFirstGranule = headGranuleCount
    space.committedEnd = reservation == nil ? granuleCount : headGranuleCount
    space.fields.tableEnd = base
    return space
  }

  /// The buddy's frame for a granule.
  static func frame(_ number: UInt) -> PhysAddr { PhysAddr(UInt64(number) * FrameOrder.min.byteCount) }

  /// The buddy's frames for granules.
  static func frames(from first: UInt, to end: UInt) -> AddrRange<PhysAddr> {
    AddrRange(start: frame(first), end: frame(end))
  }
}

// Numbers, descriptors and addresses of granules.
extension HeapSpace {
  /// The granule with a number.
  @inline(__always)
  package func granule(_ number: UInt32) -> Granule {
    Granule(address: fields.base &+ UInt(number) &* Granule.recordByteCount)
  }

  /// The span that is the granule with a number.
  @inline(__always)
  package func span(_ number: UInt32) -> BlockSpan { granule(number).span }

  /// The number of a granule.
  @inline(__always)
  package func number(of granule: Granule) -> UInt32 {
    UInt32(truncatingIfNeeded: (granule.address &- fields.base) / Granule.recordByteCount)
  }

  /// The first address of a granule.
  @inline(__always)
  package func start(of granule: Granule) -> UInt {
    fields.base &+ (granule.address &- fields.base) &* (Granule.byteCount / Granule.recordByteCount)
  }

  /// The granule around `address`, which must lie in the space.
  @inline(__always)
  package func granuleUnchecked(around address: UInt) -> Granule {
    Granule(address: fields.base &+ (address &- fields.base) / Granule.byteCount &* Granule.recordByteCount)
  }

  /// The granule around `address`; nil outside of the space, in its tables, and where nothing was ever committed.
  package func granule(around address: UInt) -> Granule? {
    let number = (address &- fields.base) / Granule.byteCount
    guard address >= fields.base, number < committedEnd, number >= fields.firstGranule else { return nil }
    return granule(UInt32(truncatingIfNeeded: number))
  }

  /// The number of the granule that starts at `address`.
  func granuleNumber(_ address: VirtAddr) -> UInt { (address.raw - fields.base) / Granule.byteCount }
}
