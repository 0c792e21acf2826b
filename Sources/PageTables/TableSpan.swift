public import Addresses
public import Assertions

/// A range of addresses as the tables see it: only the translated bits. A span can therefore end at the very end of the
/// address space.
///
/// A span lies in one half of the address space; `prefix` holds the bits above the translated ones, which all its
/// addresses share.
@frozen
@usableFromInline
struct TableSpan<Format: PageTableFormat> {
  /// The translated bits of the first address; a multiple of the smallest page.
  @usableFromInline let start: UInt64
  /// One past the translated bits of the last address; a multiple of the smallest page.
  @usableFromInline let end: UInt64
  /// The bits above the translated ones.
  @usableFromInline let prefix: UInt64

  @inlinable init(start: UInt64, end: UInt64, prefix: UInt64) {
    self.start = start
    self.end = end
    self.prefix = prefix
  }

  /// The bytes of `page`, or nil when the format does not translate it.
  @inlinable init?(_ page: Page<VirtAddr>, _ format: Format.Type) {
    guard Format.covers(page.start) else { return nil }
    let raw = UInt64(page.start.raw)
    self.start = raw & Format.translatedMask
    self.end = start + page.size.byteCount
    self.prefix = raw & ~Format.translatedMask
  }

  /// The bytes of `range`, or the first page in it that the format does not translate.
  ///
  /// Traps unless the range starts and ends at multiples of the smallest page.
  @inlinable static func covering(
    _ range: AddrRange<VirtAddr>, _ format: Format.Type
  ) throws(NonCanonical) -> TableSpan {
    let granule = UInt(Format.granule.byteCount)
    require(
      range.isAligned(to: granule), "a range of pages must start and end at multiples of the smallest page, found",
      UInt64(range.start.isAligned(to: granule) ? range.end.raw : range.start.raw))
    let start = UInt64(range.start.raw)
    let byteCount = UInt64(range.byteCount)
    let prefix = start & ~Format.translatedMask
    guard Format.covers(range.start) else { throw NonCanonical(page: Page(start: range.start, size: Format.granule)) }
    let span = TableSpan(
      start: start & Format.translatedMask, end: (start & Format.translatedMask) &+ byteCount, prefix: prefix)
    if byteCount == 0 { return span }
    let last = start &+ (byteCount - Format.granule.byteCount)
    guard Format.covers(VirtAddr(UInt(truncatingIfNeeded: last))), last & ~Format.translatedMask == prefix else {
      let half = firstUntranslated(from: start, Format.self)
      throw NonCanonical(page: Page(start: VirtAddr(UInt(truncatingIfNeeded: half)), size: Format.granule))
    }
    return span
  }

  /// The first multiple of the root entry's size above `start` that the format does not translate.
  @inlinable static func firstUntranslated(
    from start: UInt64, _ format: Format.Type
  ) -> UInt64 {
    let step = Format.slotByteCount(Format.rootLevel)
    var at = start & ~(step - 1)
    while Format.covers(VirtAddr(UInt(truncatingIfNeeded: at))) {
      at &+= step
    }
    return at
  }

  /// The page that starts at the translated bits `at`.
  @inlinable func page(at: UInt64, level: Int = 0) -> Page<VirtAddr> {
    Page(
      containing: VirtAddr(UInt(truncatingIfNeeded: at | prefix)),
      size: Format.pageSize(level: min(level, Format.largestPage.level)))
  }

  /// The first page.
  @inlinable var firstPage: Page<VirtAddr> { page(at: start) }

  /// The token for a change of every page.
  @inlinable func flush() -> TLBFlush {
    TLBFlush(VirtAddr(UInt(truncatingIfNeeded: start | prefix)), pageCount: (end - start) / 4096)
  }

  /// The part from `start` up to `end`.
  @inlinable @inline(__always) func part(from start: UInt64, to end: UInt64) -> TableSpan {
    TableSpan(start: start, end: end, prefix: prefix)
  }

  /// The part in the slot of a level that contains `at`.
  @inlinable @inline(__always) func slot(at: UInt64, level: Int) -> TableSpan {
    part(from: at, to: min(end, (at | (Format.slotByteCount(level) - 1)) + 1))
  }

  /// The slot of a level that contains the span.
  @inlinable func wholeSlot(level: Int) -> TableSpan {
    let first = start & ~(Format.slotByteCount(level) - 1)
    return part(from: first, to: first + Format.slotByteCount(level))
  }

  /// Whether the span is exactly one whole slot of a level.
  @inlinable @inline(__always) func isWholeSlot(level: Int) -> Bool { end - start == Format.slotByteCount(level) }

  /// Whether the span has no bytes.
  @inlinable var isEmpty: Bool { start == end }
}

/// The first page of a range that a format does not translate.
@frozen
@usableFromInline
struct NonCanonical: Error {
  @usableFromInline let page: Page<VirtAddr>

  @inlinable init(page: Page<VirtAddr>) {
    self.page = page
  }
}
