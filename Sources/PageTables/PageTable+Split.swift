public import Addresses
public import Assertions
public import MemoryProtocols

// Splitting large pages to change a part of one.

extension PageTable {
  /// Replaces a large page by a table of 512 pages of the next smaller size that map the same frames with the same
  /// permissions and marks, and flushes it.
  ///
  /// Processors that walk the tables meanwhile find either the page or the table, except with a format that needs
  /// break-before-make for a change of size (AArch64): then an access faults, and the handler, which waits for the
  /// owner's lock, finds the page mapped and goes on. A page that is a member of a run becomes one on its own first,
  /// and a page of the smallest size then is done. Throws ``MapError/notMapped`` unless there is a mapping of exactly
  /// this size, and ``MapError/unsupportedPageSize(_:)`` for the smallest page without a run, which cannot be split.
  /// - Complexity: O(512)
  @inlinable
  public mutating func split(
    _ page: Page<VirtAddr>, _ allocator: inout some FrameAllocator & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(MapError) {
    if !has(page.size) { throw .unsupportedPageSize(page.size) }
    guard let span = TableSpan(page, Format.self) else { throw .nonCanonical }
    let (table, level, entry) = lowestEntry(span.start, downTo: page.size.level)
    let isMember = Format.kind(of: entry, level: level) == .leaf && Format.runCount(of: entry, level: level) != 1
    if page.size == Format.granule, !isMember { throw .unsupportedPageSize(page.size) }
    switch Format.kind(of: entry, level: level) {
    case .malformed: throw .internalError
    case .empty, .table: throw .notMapped
    case .leaf: if level != page.size.level { throw .unsupportedPageSize(Format.pageSize(level: level)) }
    }
    let index = slotIndex(span.start, level: level)
    guard var chain = TableChain.allocate(level == 0 ? 0 : 1, of: Format.granule, &allocator, mapper) else {
      throw .frameAllocationFailed
    }
    let lone = splitRun(of: entry, level: level, in: table, at: index, span, &tlb)
    if level == 0 { return }
    splitLeaf(lone, level: level, in: table, at: index, span, &chain, &tlb)
    if Format.canResizeInPlace { TLBFlush(page).flush(using: &tlb) }
  }

  /// Replaces a leaf, which is no member of a run, by a table of its parts. `slot` is the part of a walked span in the
  /// leaf's slot. Where the leaf is replaced in place, processors may have it cached afterwards; it maps the same.
  @inlinable @discardableResult
  func splitLeaf(
    _ entry: PageTableEntry, level: Int, in table: Table, at index: Int, _ slot: TableSpan,
    _ chain: inout TableChain, _ tlb: inout some TLBInvalidator & ~Copyable
  ) -> Table {
    guard let frame = chain.pop(mapper) else { fail("a page-table plan must count every table it needs") }
    let parts = Table(at: mapper.physToVirt(covered: frame))
    if Format.canResizeInPlace {
      write(partsOf: entry, level: level, into: parts)
      let old = table.resize(to: Format.tableEntry(frame), at: index)
      if old != entry { addMarks(of: old, to: parts) }
    } else {
      let broken = table.break(at: index)
      write(partsOf: broken.old, level: level, into: parts)
      broken.flush(slot.wholeSlot(level: level).flush(), using: &tlb).link(Format.tableEntry(frame))
    }
    return parts
  }

  /// Fills a table that no processor can reach with the parts of a leaf.
  @inlinable
  func write(partsOf leaf: PageTableEntry, level: Int, into parts: Table) {
    for part in 0..<Format.entryCount {
      parts.vacant(at: part).make(Format.part(part, of: leaf, level: level))
    }
  }

  /// Gives every leaf of a table the marks that a processor set just before the table replaced a large page.
  @inlinable @inline(never)
  func addMarks(of leaf: PageTableEntry, to parts: Table) {
    for part in 0..<Format.entryCount {
      parts.change(parts[part], at: part) { adding(leaf, to: $0) }
    }
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
