public import Addresses

// Joining 512 equal small pages into a large one: the opposite of a split.

extension PageTable {
  /// Replaces each table of a range by one large page, up to 2 MiB or 1 GiB, if its 512 pages are equal, contiguous and
  /// aligned in physical memory.
  ///
  /// Only tables whose whole slot lies in the range are joined. Each is flushed on its own, and then retired. The large
  /// page counts as accessed or dirty if any small page does, up to the flush. Meanwhile a processor finds the small
  /// pages or the large one, except with a format that needs break-before-make for a change of size (AArch64): then an
  /// access faults, and the handler, which waits for the owner's lock, finds the page mapped and goes on. Throws
  /// ``MapError/nonCanonical`` with the first page that these tables do not translate.
  ///
  /// - Returns: How many tables became large pages.
  /// - Complexity: O(pages), and a flush for each joined table
  @inlinable @discardableResult
  public mutating func join(
    _ range: AddrRange<VirtAddr>, _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(RangeError<MapError>) -> Int {
    let span = try mapSpan(range)
    let before = retired.count
    join(rootTable, level: Format.rootLevel, span, &tlb)
    return retired.count - before
  }

  @inlinable
  mutating func join(
    _ table: Table, level: Int, _ span: TableSpan, _ tlb: inout some TLBInvalidator & ~Copyable
  ) {
    var at = span.start
    while at < span.end {
      let slot = span.slot(at: at, level: level)
      let index = slotIndex(at, level: level)
      let entry = table[index]
      if isOwnTable(entry, level: level) {
        let below = self.table(entry)
        if level > 1 { join(below, level: level - 1, slot, &tlb) }
        if level <= Format.highestLevel(within: largestPage), slot.isWholeSlot(level: level),
          !isSharedSlot(index, level: level),
          let whole = joined(below, level: level)
        {
          replace(below, by: whole, level: level, in: table, at: index, slot, &tlb)
          retired.push(Format.address(in: entry), mapper)
        }
      }
      at = slot.end
    }
  }

  /// Replaces a table by a leaf that maps the same. The marks that processors set through the table until the flush are
  /// gathered after it, when they can set no more.
  @inlinable
  func replace(
    _ below: Table, by whole: PageTableEntry, level: Int, in table: Table, at index: Int, _ slot: TableSpan,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) {
    if Format.canResizeInPlace {
      _ = table.resize(to: whole, at: index)
      slot.flush().flush(using: &tlb)
      let marks = joined(below, level: level) ?? whole
      table.change(whole, at: index) { adding(marks, to: $0) }
    } else {
      let vacant = table.break(at: index).flush(slot.flush(), using: &tlb)
      vacant.make(joined(below, level: level) ?? whole)
    }
  }

  /// The leaf of a level that maps the same as a table below it; nil unless the table's 512 pages are contiguous and
  /// equal.
  @inlinable
  func joined(_ table: Table, level: Int) -> PageTableEntry? {
    guard Format.kind(of: table[0], level: level - 1) == .leaf else { return nil }
    let plain = Format.withoutMarks(Format.alone(table[0], at: 0, level: level - 1))
    guard Format.frame(of: plain, level: level - 1).start.isAligned(to: slotByteCount(level)) else { return nil }
    var isAccessed = false
    var isDirty = false
    for index in 0..<Format.entryCount {
      guard Format.kind(of: table[index], level: level - 1) == .leaf else { return nil }
      let entry = Format.alone(table[index], at: index, level: level - 1)
      guard Format.withoutMarks(entry) == Format.part(index, of: Format.whole(plain, level: level), level: level) else {
        return nil
      }
      isAccessed = isAccessed || Format.isAccessed(entry)
      isDirty = isDirty || Format.isDirty(entry)
    }
    let accessed = isAccessed ? Format.accessedBits : 0
    let marked = PageTableEntry(plain.bits | accessed)
    return Format.whole(isDirty ? Format.leaf(marked, markedDirty: true) : marked, level: level)
  }
}
