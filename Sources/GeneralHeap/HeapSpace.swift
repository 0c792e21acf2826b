internal import CLabMalloc

// The address range that a heap's granules come from, and the table that describes them.
//
//     base                                                            base + 64 KiB * granuleCount
//     | span table | space record | heap records ... | granules: spans and arenas ...        |
//
// The table has 64 bytes for each granule of the range, its own included, so that the descriptor of the granule of
// any address p in the range is at base + 64 * ((p - base) >> 16): a subtraction, a compare, a shift. Table and
// granules are committed in steps as they are first given out, lowest address first.

/// A space's own fields. Those above the line may be read by any thread; those below it are the lock holder's.
struct SpaceRecord {
  /// The `HeapLock` of the space; the first field, so that its address is the space's.
  var lock: UInt = 0
  /// The first address, a multiple of 64 KiB.
  var base: UInt = 0
  /// How many granules there are room for.
  var granuleCount: UInt = 0
  /// Whether the memory is committed in steps and given back: not when a caller brought it.
  var ownsMapping = false

  /// The lowest granule that was never given out.
  var freshGranule: UInt = 0
  /// The first granule that is not committed.
  var committedEnd: UInt = 0
  /// The first of the granules that were given back, linked by their descriptors.
  var idleGranule: UInt32 = 0
  /// How many there are.
  var idleCount: UInt32 = 0
  /// Where the next heap record goes, and where the granules for records end.
  var recordNext: UInt = 0
  var recordEnd: UInt = 0
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

  /// How much is committed at once: 4 MiB, or a sixteenth of what is committed already.
  private static var stepGranuleCount: UInt { 64 }

  /// A space over `byteCount` bytes from `base`, a multiple of 64 KiB; nil when the range is too small, or when its
  /// first pages cannot be committed.
  static func create(base: UInt, byteCount: UInt, ownsMapping: Bool) -> HeapSpace? {
    let granuleCount = byteCount / Span.byteCount
    let tableByteCount = (granuleCount * Span.recordByteCount + 15) & ~15
    let headByteCount = tableByteCount + UInt(MemoryLayout<SpaceRecord>.size)
    let headGranuleCount = (headByteCount + Span.byteCount - 1) / Span.byteCount
    guard granuleCount > headGranuleCount else { return nil }
    if ownsMapping {
      // The table's first page and the record's; the rest of the table comes with the granules it describes.
      let recordPage = (base + tableByteCount) & ~4095
      guard lab_malloc_commit(recordPage, (base + headGranuleCount * Span.byteCount) - recordPage) == 0 else {
        return nil
      }
    } else {
      lab_malloc_bytes_zero(base, headByteCount)
    }
    let space = HeapSpace(address: base + tableByteCount)
    // SAFETY: the record lies in the range, is aligned to 16 and committed, and nobody else's.
    unsafe UnsafeMutablePointer<SpaceRecord>(bitPattern: space.address).unsafelyUnwrapped.initialize(to: SpaceRecord())
    space.fields.base = base
    space.fields.granuleCount = granuleCount
    space.fields.ownsMapping = ownsMapping
    space.fields.freshGranule = headGranuleCount
    space.fields.committedEnd = ownsMapping ? headGranuleCount : granuleCount
    return space
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

  /// The granule around `address`, nil outside of the space.
  func span(containing address: UInt) -> Span? {
    let granule = (address &- fields.base) / Span.byteCount
    guard address >= fields.base, granule < fields.granuleCount, granule < fields.freshGranule else { return nil }
    return span(UInt32(truncatingIfNeeded: granule))
  }

  /// A granule for the caller's own use, nil when there is none left. Its fields are as its last user left them.
  func allocateGranule() -> Span? {
    guard HeapLock.acquire(at: address) else { return nil }
    defer { HeapLock.release(at: address) }
    return takeGranule()
  }

  /// Takes an empty span back.
  func deallocateGranule(_ span: Span) {
    guard HeapLock.acquire(at: address) else { return }
    span.fields.owner = 0
    span.fields.kind = .none
    span.fields.next = fields.idleGranule
    fields.idleGranule = granule(of: span)
    fields.idleCount += 1
    HeapLock.release(at: address)
  }

  /// Room for a heap record of `byteCount` bytes, zeroed, 0 when there is none.
  func allocateRecord(byteCount: UInt) -> UInt {
    guard HeapLock.acquire(at: address) else { return 0 }
    defer { HeapLock.release(at: address) }
    if fields.recordEnd - fields.recordNext < byteCount {
      guard let span = takeGranule() else { return 0 }
      span.fields.kind = .metadata
      fields.recordNext = start(of: span)
      fields.recordEnd = fields.recordNext + Span.byteCount
      if !fields.ownsMapping || span.fields.residentPages != 0 {
        lab_malloc_bytes_zero(fields.recordNext, Span.byteCount)
      }
    }
    let record = fields.recordNext
    fields.recordNext += byteCount
    return record
  }

  /// Forgets the granules that were given back: in a child of fork, when the list may be half changed.
  func abandonIdleGranules() {
    fields.idleGranule = 0
    fields.idleCount = 0
  }

  /// A granule, with the lock held: one that was given back, else the lowest fresh one.
  private func takeGranule() -> Span? {
    if fields.idleGranule != 0 {
      let span = span(fields.idleGranule)
      fields.idleGranule = span.fields.next
      fields.idleCount -= 1
      return span
    }
    guard fields.freshGranule < fields.granuleCount else { return nil }
    if fields.freshGranule >= fields.committedEnd, !commitStep() { return nil }
    let span = span(UInt32(truncatingIfNeeded: fields.freshGranule))
    fields.freshGranule += 1
    return span
  }

  /// Commits the next granules and their descriptors.
  private func commitStep() -> Bool {
    let first = fields.committedEnd
    let count = min(max(HeapSpace.stepGranuleCount, first / 16), fields.granuleCount - first)
    // The descriptors of [first, first + count), in whole pages; those of lower granules may share the first page.
    let tableStart = (fields.base + first * Span.recordByteCount) & ~4095
    let tableEnd = min((fields.base + (first + count) * Span.recordByteCount + 4095) & ~4095, address & ~4095)
    if tableStart < tableEnd, lab_malloc_commit(tableStart, tableEnd - tableStart) != 0 { return false }
    if lab_malloc_commit(fields.base + first * Span.byteCount, count * Span.byteCount) != 0 { return false }
    fields.committedEnd = first + count
    return true
  }
}
