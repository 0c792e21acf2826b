public import Addresses
public import Assertions
public import MemoryProtocols

// Splitting large pages to change a part of one.

extension PageTable {
  /// Replaces a large page by a table of 512 pages of the next smaller size that map the same frames with the same
  /// permissions.
  ///
  /// Processors that walk the tables meanwhile find either the page or the table. (AArch64 requires break-before-make,
  /// with a flush in between, unless the processor has FEAT_BBM at level 2. Without it, the owner keeps the processor
  /// from using the page meanwhile.) Throws ``MapError/notMapped`` unless there is a mapping of exactly this size, and
  /// ``MapError/unsupportedPageSize(_:)`` for the smallest page, which cannot be split.
  /// - Complexity: O(512)
  @inlinable
  public mutating func split(
    _ page: Page<VirtAddr>, _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(MapError) -> TLBFlush {
    if page.size == Format.granule || !has(page.size) { throw .unsupportedPageSize(page.size) }
    guard let span = TableSpan(page, Format.self) else { throw .nonCanonical }
    let (table, level, entry) = lowestEntry(span.start, downTo: page.size.level)
    switch Format.kind(of: entry, level: level) {
    case .malformed: throw .internalError
    case .empty, .table: throw .notMapped
    case .leaf: if level != page.size.level { throw .unsupportedPageSize(Format.pageSize(level: level)) }
    }
    guard var chain = TableChain.allocate(1, &allocator, mapper) else { throw .frameAllocationFailed }
    splitLeaf(entry, level: level, in: table, at: slotIndex(span.start, level: level), &chain)
    return TLBFlush(page)
  }

  /// Replaces a leaf by a table of its parts.
  @inlinable @discardableResult
  func splitLeaf(
    _ entry: PageTableEntry, level: Int, in table: Table, at index: Int, _ chain: inout TableChain
  ) -> Table {
    guard let frame = chain.pop(mapper) else { fail("a page-table plan must count every table it needs") }
    let parts = Table(at: mapper.physToVirt(covered: frame))
    for part in 0..<Format.entryCount {
      parts.store(Format.part(part, of: entry, level: level), at: part)
    }
    table.link(Format.tableEntry(frame), at: index)
    return parts
  }

  /// How many large pages must be split to let no page reach beyond the span on either side.
  ///
  /// A boundary inside a level n page, aligned to level k pages at most, takes n − k splits. Where both boundaries lie
  /// in the same slot, they share its split. A page at a boundary that `unless` accepts stays whole: it already has
  /// what the caller wants.
  @inlinable
  func splitsNeeded(_ span: TableSpan, unless: (PageTableEntry) -> Bool) -> Int {
    let lower = splitLevels(at: span.start, unless)
    let upper = splitLevels(at: span.end, unless)
    var count = 0
    for level in 1...2 {
      let atLower = lower.contains(level)
      let atUpper = upper.contains(level)
      let shift = UInt64(truncatingIfNeeded: Format.slotBitCount(level))
      let isShared = atLower && atUpper && span.start >> shift == span.end >> shift
      count += (atLower ? 1 : 0) + (atUpper ? 1 : 0) - (isShared ? 1 : 0)
    }
    return count
  }

  /// The levels at which pages must be split to put a boundary between two pages.
  @inlinable
  func splitLevels(at boundary: UInt64, _ unless: (PageTableEntry) -> Bool) -> Range<Int> {
    if boundary > Format.translatedMask { return 0..<0 }
    let (_, level, entry) = lowestEntry(boundary, downTo: 0)
    guard level > 0, Format.kind(of: entry, level: level) == .leaf, !unless(entry) else { return 0..<0 }
    var aligned = 0
    while aligned < level, boundary & (slotByteCount(aligned + 1) - 1) == 0 {
      aligned += 1
    }
    return aligned + 1..<level + 1
  }
}
