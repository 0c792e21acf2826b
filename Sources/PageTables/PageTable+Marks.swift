public import Addresses

// Accessed and dirty marks. ``Translation/isAccessed`` and ``Translation/isDirty`` read them; the processor sets them.

extension PageTable {
  /// Clears the accessed mark of the mapping of exactly this page; returns whether it was set, up to the change itself.
  ///
  /// Until the token is flushed, a processor that has cached the translation need not set the mark again. A caller who
  /// only samples may ignore the token.
  /// - Complexity: O(levels)
  @inlinable
  public mutating func clearAccessed(_ page: Page<VirtAddr>) throws(TranslationError) -> MarkChange {
    try clearMark(of: page, isSet: { Format.isAccessed($0) }) { PageTableEntry($0.bits & ~Format.accessedBits) }
  }

  /// Clears the dirty mark of the mapping of exactly this page; returns whether it was set, up to the change itself.
  ///
  /// Until the token is flushed, a processor may write to the page without setting the mark again.
  /// - Complexity: O(levels)
  @inlinable
  public mutating func clearDirty(_ page: Page<VirtAddr>) throws(TranslationError) -> MarkChange {
    try clearMark(of: page, isSet: { Format.isDirty($0) }) { Format.leaf($0, markedDirty: false) }
  }

  /// Clears a mark of every member of the page's run, which is the page alone as a rule: they share the mark.
  @inlinable
  func clearMark(
    of page: Page<VirtAddr>, isSet: (PageTableEntry) -> Bool, _ cleared: (PageTableEntry) -> PageTableEntry
  ) throws(TranslationError) -> MarkChange {
    let (table, index, entry) = try leaf(of: page)
    let level = page.size.level
    let count = Format.runCount(of: entry, level: level)
    if _fastPath(count == 1) {
      return MarkChange(wasSet: isSet(table.change(entry, at: index, cleared)), TLBFlush(page))
    }
    let first = index & ~(count - 1)
    var wasSet = false
    for member in first..<first + count where isMember(table[member], of: count, level: level) {
      let old = table.change(table[member], at: member, cleared)
      wasSet = wasSet || isSet(old)
    }
    let start = page.start - UInt(truncatingIfNeeded: UInt64(truncatingIfNeeded: index - first) * page.size.byteCount)
    return MarkChange(
      wasSet: wasSet, TLBFlush(start, pageCount: page.size.order.frameCount * UInt64(truncatingIfNeeded: count)))
  }

  /// The table and index of the leaf of exactly this page, and the leaf.
  @inlinable
  func leaf(of page: Page<VirtAddr>) throws(TranslationError) -> (table: Table, index: Int, entry: PageTableEntry) {
    guard let span = TableSpan(page, Format.self) else { throw .notMapped }
    guard has(page.size) else { throw .notMapped }
    let (table, level, entry) = lowestEntry(span.start, downTo: page.size.level)
    guard Format.kind(of: entry, level: level) == .leaf else { throw .notMapped }
    guard level == page.size.level else { throw .hugePage }
    return (table, slotIndex(span.start, level: level), entry)
  }
}

/// Whether a mark was set before it was cleared, and the obligation to flush.
@frozen
public struct MarkChange: ~Copyable {
  /// Whether the mark was set.
  public let wasSet: Bool
  @usableFromInline let change: TLBFlush

  @inlinable init(wasSet: Bool, _ change: consuming TLBFlush) {
    self.wasSet = wasSet
    self.change = change
  }

  /// Flushes the processors' TLBs; returns whether the mark was set.
  @inlinable
  public consuming func flush(using tlb: inout some TLBInvalidator & ~Copyable) -> Bool {
    let wasSet = wasSet
    change.flush(using: &tlb)
    return wasSet
  }

  /// Does not flush; returns whether the mark was set.
  @inlinable
  public consuming func ignore() -> Bool {
    let wasSet = wasSet
    change.ignore()
    return wasSet
  }
}
