internal import Addresses
internal import Assertions
internal import BuddyFrames
internal import CLabPlatform
internal import MemoryRegions
internal import Synchronization

// The address range of a heap's granules, and the tables that describe them.
//
//     | ends of chunks, twice | granule table | ... base | head of chunk 0: space record, buddy | granules: spans, arenas ... |
//
// The granule table has 64 bytes for each granule. The descriptor for an address p of the range is thus at
// table + 64 * ((p - base) >> 16): a subtraction, a compare, a shift. Granules and table are committed as the space
// grows, chunk by chunk (HeapSpace+Chunks.swift). Each chunk has a buddy, `BuddyFrames`, which counts each granule as
// one frame and allocates the lowest. In a caller's memory, both tables lie behind the buddy.

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

  /// The granule above all that are committed. Relaxed: a thread gets a pointer into a granule from the thread that
  /// committed the granule, or from a later one.
  package var committedEnd: UInt {
    get { fields.committedEnd.load(ordering: .relaxed) }
    nonmutating set { fields.committedEnd.store(newValue, ordering: .relaxed) }
  }

  /// How many heaps were made over the space, at least 1.
  package var heapCount: UInt { max(1, fields.heapCount.load(ordering: .relaxed)) }

  /// Notes that a heap was made.
  package func noteHeap() { fields.heapCount.wrappingAdd(1, ordering: .relaxed) }

  /// The time, in milliseconds of the owner's clock.
  package var milliseconds: UInt { fields.hooks.milliseconds() }

  /// Takes the space's lock; false when this thread holds it already.
  func lock() -> Bool { fields.lock.acquire(fields.hooks.wait) }
  func unlock() { fields.lock.release() }
}

// Creating a space.
extension HeapSpace {
  /// A space over a reservation; nil when there is no memory for its tables. Granules are committed in multiples of
  /// `commitUnit`, and belong to `nodeCount` memory nodes.
  package static func create(
    over reservation: HeapReservation, hooks: SpaceHooks, commitUnit: UInt = 1, nodeCount: UInt = 1
  ) -> HeapSpace? {
    var reservation = reservation
    // Fewer than 2^32: a granule's number has 32 bits.
    let most = min(reservation.byteCount / (Granule.byteCount + Granule.recordByteCount), UInt(UInt32.max))
    let chunkTableByteCount = chunkTableByteCount(for: most)
    let table = reservation.base + (2 * chunkTableByteCount + Granule.byteCount - 1) & ~(Granule.byteCount - 1)
    let mask = reservation.alignment - 1
    var base = (table + most * Granule.recordByteCount + mask) & ~mask
    guard base < reservation.end else { return nil }
    var granuleCount = min(most, (reservation.end - base) / Granule.byteCount)
    let chunkEnd = min(granuleCount, 1 << smallestChunkShift)
    let headCount = self.granuleCount(for: headByteCount(0, end: chunkEnd))
    guard headCount < granuleCount else { return nil }
    // Beyond the head only where pages are huge.
    let firstCount = min((headCount + commitUnit - 1) / commitUnit * commitUnit, chunkEnd)
    let tableEnd = SystemPages.rounded(table + chunkEnd * Granule.recordByteCount)
    guard reservation.commit(reservation.base, byteCount: tableEnd - reservation.base) == .done else { return nil }
    // Where another mapping lies, the granules begin above it.
    var outcome = reservation.commit(base, byteCount: firstCount * Granule.byteCount)
    while outcome == .occupied, granuleCount >> smallestChunkShift > 1 {
      base += Granule.byteCount << smallestChunkShift
      granuleCount -= 1 << smallestChunkShift
      outcome = reservation.commit(base, byteCount: firstCount * Granule.byteCount)
    }
    guard outcome == .done else {
      if !reservation.isReserved { try? SystemPages.unmap(reservation.base, byteCount: tableEnd - reservation.base) }
      return nil
    }
    // While all of it is untouched.
    _ = hooks.didMap(reservation.base, tableEnd - reservation.base, SpaceHooks.noNode)
    let isFixed = hooks.didMap(base, firstCount * Granule.byteCount, 0)
    let space = begin(base: base, granuleCount: granuleCount, reservation: reservation, hooks: hooks)
    space.fields.commitUnit = commitUnit
    space.fields.nodeCount = nodeCount
    space.fields.chunkTable = reservation.base
    space.fields.fixedTable = reservation.base + chunkTableByteCount
    space.fields.table = table
    space.fields.tableEnd = tableEnd
    space.noteMapped(from: 0, to: firstCount, isFixed: isFixed)
    space.setCommittedEnd(firstCount, ofChunkAround: 0)
    space.committedEnd = firstCount
    space.fields.firstGranule = headCount
    space.writeHead(0, granuleCount: headCount, end: chunkEnd)
    return space
  }

  /// A space over `byteCount` bytes of the caller's memory from `base` on, a multiple of 64 KiB; nil when they are too
  /// few. Only one thread at a time may use it.
  package static func create(base: UInt, byteCount: UInt) -> HeapSpace? {
    let hooks = SpaceHooks(wait: { _ in lab_platform_yield() }, milliseconds: { 0 }, didCommit: { _ in })
    let granuleCount = byteCount / Granule.byteCount
    let buddyByteCount = headByteCount(0, end: granuleCount)
    let tableOffset = buddyByteCount + chunkTableByteCount(for: 0)
    let tableEnd = tableOffset + granuleCount * Granule.recordByteCount
    let headCount = self.granuleCount(for: tableEnd)
    guard headCount < granuleCount else { return nil }
    lab_platform_zero(base, tableEnd)
    let space = begin(base: base, granuleCount: granuleCount, reservation: nil, hooks: hooks)
    space.fields.chunkTable = base + buddyByteCount
    space.fields.table = base + tableOffset
    space.setCommittedEnd(granuleCount, ofChunkAround: 0)
    space.committedEnd = granuleCount
    space.fields.firstGranule = headCount
    space.writeHead(0, granuleCount: headCount, end: granuleCount)
    return space
  }

  /// Writes the record of a space whose first granule is committed.
  private static func begin(
    base: UInt, granuleCount: UInt, reservation: HeapReservation?, hooks: SpaceHooks
  ) -> HeapSpace {
    // The compiler knows the answers: nothing of this is left in a library.
    require(MemoryLayout<SpanRecord>.size == Int(Granule.recordByteCount), "a span's descriptor must have 64 bytes")
    require(MemoryLayout<ArenaPartRecord>.size <= Int(Granule.recordByteCount), "an arena's must have no more")
    // SAFETY: the record lies in the range, is aligned to 64 bytes and committed, and nothing else uses its memory.
    unsafe UnsafeMutablePointer<SpaceRecord>(bitPattern: base).unsafelyUnwrapped.initialize(
      to: SpaceRecord(base: base, granuleCount: granuleCount, reservation: reservation, hooks: hooks))
    let space = HeapSpace(address: base)
    space.fields.arenas[0] = Arena.create(at: base + firstArenaOffset, number: 0, in: space).address
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
    Granule(address: fields.table &+ UInt(number) &* Granule.recordByteCount)
  }

  /// The span that is the granule with a number.
  @inline(__always)
  package func span(_ number: UInt32) -> BlockSpan { granule(number).span }

  /// The number of a granule.
  @inline(__always)
  package func number(of granule: Granule) -> UInt32 {
    UInt32(truncatingIfNeeded: (granule.address &- fields.table) / Granule.recordByteCount)
  }

  /// The first address of a granule.
  @inline(__always)
  package func start(of granule: Granule) -> UInt {
    fields.base &+ (granule.address &- fields.table) &* (Granule.byteCount / Granule.recordByteCount)
  }

  /// The granule around `address`, which must lie in the space.
  @inline(__always)
  package func granuleUnchecked(around address: UInt) -> Granule {
    Granule(address: fields.table &+ (address &- fields.base) / Granule.byteCount &* Granule.recordByteCount)
  }

  /// The granule around `address`; nil outside of the space, in its first head, and where nothing was ever committed.
  package func granule(around address: UInt) -> Granule? {
    let number = (address &- fields.base) / Granule.byteCount
    guard address >= fields.base, number < committedEnd, number >= fields.firstGranule,
      number < committedEnd(ofChunkAround: number)
    else { return nil }
    return granule(UInt32(truncatingIfNeeded: number))
  }

  /// The number of the granule that starts at `address`.
  func granuleNumber(_ address: VirtAddr) -> UInt { (address.raw - fields.base) / Granule.byteCount }
}
