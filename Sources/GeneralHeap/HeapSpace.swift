internal import Addresses
internal import BuddyFrames
internal import CLabMalloc
internal import Assertions
internal import FirstFitHeap
internal import MemoryRegions
internal import Synchronization

// The address range that a heap's granules come from, and the tables that describe them.
//
//     base                                                                        base + 64 KiB * granuleCount
//     | span table | space record | frame table (unless it is a mapping of its own) | granules: spans, arenas ...   |
//
// The span table has 64 bytes for each granule of the range, its own included, so that the descriptor of the granule of
// any address p in the range is at base + 64 * ((p - base) >> 16): a subtraction, a compare, a shift. Which granules
// are free a buddy knows, `BuddyFrames`, which counts one frame for each granule and gives out the lowest. Table and
// granules are committed in steps as the buddy reaches them.

/// A space's own fields. Those above the line, and atomics, may be read by any thread; others are the lock holder's.
struct SpaceRecord: ~Copyable {
  /// The `HeapLock` of the space; the first field, so that its address is the space's.
  var lock: UInt = 0
  /// The `HeapLock` of the arenas, taken before the space's.
  var arenaLock: UInt = 0
  /// The first address, a multiple of 64 KiB.
  var base: UInt = 0
  /// How many granules there are room for.
  var granuleCount: UInt = 0
  /// What the memory is committed from in steps, and given back to; nil when a caller brought it.
  var reservation: HeapReservation?
  /// How often the arenas were abandoned, in children of fork.
  var arenaEpoch: UInt8 = 0

  /// Which granules are free. Frame n is granule n.
  var frames: BuddyFrames
  /// The first granule behind the tables, and the first that the buddy manages: higher after the buddy was abandoned,
  /// and `granuleCount` when there is none since.
  var firstGranule: UInt = 0
  var buddyFirstGranule: UInt = 0
  /// The first granule that is not committed, and where the committed part of the span table ends.
  let committedEnd = Atomic<UInt>(0)
  var tableEnd: UInt = 0
  /// Where the next heap record goes, and where the granule for records ends.
  var recordNext: UInt = 0
  var recordEnd: UInt = 0
  /// Bytes that count against the quota, which are those of spans' and records' granules, of blocks in arenas or in
  /// threads' caches, and of mappings that stand alone; and the most they may be, `UInt.max` for no limit, when nothing
  /// is counted.
  var usedByteCount: UInt = 0
  let quotaByteCount = Atomic<UInt>(.max)

  /// What is too large for spans, and how many bytes its ranges have. The arena lock's.
  var arena = FirstFitHeap()
  var arenaByteCount: UInt = 0
  /// How many bytes of blocks are in use there or in threads' caches.
  var arenaUsedByteCount: UInt = 0
  /// When to give memory of their holes back.
  var arenaPace = PurgePace()

  init(frames: consuming BuddyFrames) { self.frames = frames }

  /// Whether the memory is committed in steps and given back: not when a caller brought it.
  var ownsMapping: Bool { reservation != nil }
}

/// A space, by the address of its record.
@frozen
public struct HeapSpace: Equatable, Sendable {
  let address: UInt

  init(address: UInt) { self.address = address }

  var fields: SpaceRecord {
    // SAFETY: a space is made only by `create`, and its record lives as long as the range.
    @inline(__always) unsafeAddress { unsafe UnsafePointer(bitPattern: address).unsafelyUnwrapped }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
    }
  }

  var arenaLock: UInt { address + 8 }

  /// The first granule that is not committed. Relaxed: who has a pointer into a granule has it from the thread that
  /// committed it, or from one that came after.
  var committedEnd: UInt {
    get { fields.committedEnd.load(ordering: .relaxed) }
    nonmutating set { fields.committedEnd.store(newValue, ordering: .relaxed) }
  }

  /// The quota. Relaxed: requests of the very moment when it is set may count or not.
  var quotaByteCount: UInt {
    get { fields.quotaByteCount.load(ordering: .relaxed) }
    nonmutating set { fields.quotaByteCount.store(newValue, ordering: .relaxed) }
  }

  /// A space over a reservation; nil when there is no memory for its tables.
  static func create(over reservation: HeapReservation) -> HeapSpace? {
    create(base: reservation.base, byteCount: reservation.byteCount, reservation: reservation)
  }

  /// A space over `byteCount` bytes of a caller's from `base`, a multiple of 64 KiB; nil when they are too few.
  static func create(base: UInt, byteCount: UInt) -> HeapSpace? {
    create(base: base, byteCount: byteCount, reservation: nil)
  }

  private static func create(base: UInt, byteCount: UInt, reservation: HeapReservation?) -> HeapSpace? {
    // Both are known when this is compiled; a record that grew past its place would run into the next one.
    require(MemoryLayout<SpanRecord>.stride == Int(Span.recordByteCount), "a span record must have 64 bytes")
    require(
      MemoryLayout<ThreadHeapRecord>.size == Int(ThreadHeap.markOffset) + 64, "a heap record must end with its mark")
    let granuleCount = byteCount / Span.byteCount
    let tableByteCount = (granuleCount * Span.recordByteCount + 63) & ~63
    let recordByteCount = UInt(MemoryLayout<SpaceRecord>.size + 63) & ~63
    let granules = HeapSpace.frames(from: 0, to: granuleCount)
    let frameTableByteCount = BuddyFrames.tableByteCount(for: granules)
    var headByteCount = tableByteCount + recordByteCount
    var frameTable = base + headByteCount
    if reservation == nil { headByteCount += frameTableByteCount }
    let headGranuleCount = (headByteCount + Span.byteCount - 1) / Span.byteCount
    guard granuleCount > headGranuleCount else { return nil }
    var reservation = reservation
    if reservation != nil {
      let mappingByteCount = SystemPages.rounded(frameTableByteCount)
      guard let mapping = try? SystemPages.map(byteCount: mappingByteCount) else { return nil }
      // The record's page; the span table's come with the granules they describe.
      let recordPage = (base + tableByteCount) & ~4095
      let pageByteCount = (base + headGranuleCount * Span.byteCount) - recordPage
      guard reservation?.commit(recordPage, byteCount: pageByteCount) == true else {
        try? SystemPages.unmap(mapping, byteCount: mappingByteCount)
        return nil
      }
      frameTable = mapping
    } else {
      lab_malloc_bytes_zero(CUnsignedLong(base), CUnsignedLong(headByteCount))
    }
    let space = HeapSpace(address: base + tableByteCount)
    let frames = BuddyFrames(
      over: HeapSpace.frames(from: headGranuleCount, to: granuleCount),
      tableIn: AddrRange(start: VirtAddr(frameTable), byteCount: frameTableByteCount), holding: .zeros)
    // SAFETY: the record lies in the range, is aligned to 64 and committed, and nobody else's.
    unsafe UnsafeMutablePointer<SpaceRecord>(bitPattern: space.address).unsafelyUnwrapped.initialize(
      to: SpaceRecord(frames: frames))
    space.fields.base = base
    space.fields.granuleCount = granuleCount
    space.fields.reservation = reservation
    space.fields.firstGranule = headGranuleCount
    space.fields.buddyFirstGranule = headGranuleCount
    space.committedEnd = reservation == nil ? granuleCount : headGranuleCount
    space.fields.tableEnd = base
    return space
  }

  /// The buddy's frames for granules.
  static func frames(from first: UInt, to end: UInt) -> AddrRange<PhysAddr> {
    AddrRange(start: PhysAddr(UInt64(first) << 12), end: PhysAddr(UInt64(end) << 12))
  }

  /// The descriptor of the granule with the number `granule`.
  @inline(__always)
  func span(_ granule: UInt32) -> Span {
    Span(address: fields.base &+ UInt(granule) &* Span.recordByteCount)
  }

  /// The granule that a descriptor describes.
  @inline(__always)
  func granule(of span: Span) -> UInt32 {
    UInt32(truncatingIfNeeded: (span.address &- fields.base) / Span.recordByteCount)
  }

  /// The first address of a span's granule.
  @inline(__always)
  func start(of span: Span) -> UInt {
    fields.base &+ (span.address &- fields.base) &* (Span.byteCount / Span.recordByteCount)
  }

  /// The granule around `address`, which lies in the space.
  @inline(__always)
  func spanUnchecked(containing address: UInt) -> Span {
    Span(address: fields.base &+ (address &- fields.base) / Span.byteCount &* Span.recordByteCount)
  }

  /// The granule around `address`, nil outside of the space and where it was never committed.
  func span(containing address: UInt) -> Span? {
    let granule = (address &- fields.base) / Span.byteCount
    guard address >= fields.base, granule < committedEnd, granule >= fields.firstGranule else { return nil }
    return span(UInt32(truncatingIfNeeded: granule))
  }
}
