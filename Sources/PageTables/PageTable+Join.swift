public import Addresses

// Joining 512 equal small pages into a large one: the opposite of a split.

extension PageTable {
  /// Replaces each table of a range by one large page, up to 2 MiB or 1 GiB, if its 512 pages are equal, contiguous and
  /// aligned in physical memory.
  ///
  /// Only tables whose whole slot lies in the range are joined. The large page counts as accessed or dirty if any small
  /// page does. The tables are retired. Until the token is flushed, a processor that still walks one may find its first
  /// page missing and fault; the handler finds the page mapped and goes on. Throws ``MapError/nonCanonical`` with the
  /// first page that these tables do not translate.
  /// - Complexity: O(pages)
  @inlinable
  public mutating func join(_ range: AddrRange<VirtAddr>) throws(RangeError<MapError>) -> TLBFlush {
    let span = try mapSpan(range)
    let before = retired.count
    join(rootTable, level: Format.rootLevel, span)
    if retired.count == before { return span.part(from: span.start, to: span.start).flush() }
    return span.flush()
  }

  @inlinable
  mutating func join(_ table: Table, level: Int, _ span: TableSpan) {
    var at = span.start
    while at < span.end {
      let slot = span.slot(at: at, level: level)
      let index = slotIndex(at, level: level)
      let entry = table[index]
      if Format.kind(of: entry, level: level) == .table {
        let below = self.table(entry)
        if level > 1 { join(below, level: level - 1, slot) }
        if level <= Format.highestLevel(within: largestPage), slot.isWholeSlot(level: level), !isSharedSlot(index, level: level),
          let whole = joined(below, level: level)
        {
          table.store(whole, at: index)
          retired.push(Format.address(in: entry), mapper)
        }
      }
      at = slot.end
    }
  }

  /// The leaf of a level that maps the same as a table below it; nil unless the table's 512 pages are contiguous and
  /// equal.
  @inlinable
  func joined(_ table: Table, level: Int) -> PageTableEntry? {
    let first = table[0]
    guard Format.kind(of: first, level: level - 1) == .leaf,
      Format.frame(of: first, level: level - 1).start.isAligned(to: slotByteCount(level))
    else { return nil }
    let plain = withoutMarks(first)
    var isAccessed = false
    var isDirty = false
    for index in 0..<Format.entryCount {
      let entry = table[index]
      guard Format.isPresent(entry),
        withoutMarks(entry) == Format.part(index, of: Format.whole(plain, level: level), level: level)
      else { return nil }
      isAccessed = isAccessed || Format.isAccessed(entry)
      isDirty = isDirty || Format.isDirty(entry)
    }
    let accessed = isAccessed ? Format.accessedBits : 0
    let marked = PageTableEntry(plain.bits | accessed)
    return Format.whole(isDirty ? Format.leaf(marked, markedDirty: true) : marked, level: level)
  }

  /// A leaf without its accessed and dirty marks.
  @inlinable @inline(__always)
  func withoutMarks(_ leaf: PageTableEntry) -> PageTableEntry {
    PageTableEntry(Format.leaf(leaf, markedDirty: false).bits & ~Format.accessedBits)
  }
}
