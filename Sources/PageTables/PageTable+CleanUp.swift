public import Addresses

// Empty tables: finding and unlinking them, and keeping them until they may be freed.

extension PageTable {
  /// Unlinks the tables of a range in which nothing is mapped, and retires them.
  ///
  /// The root stays. So do the tables that its kernel entries refer to, since other roots refer to them as well. Once
  /// the token is flushed, ``deallocateRetiredTables(_:)`` frees the tables. Throws ``MapError/nonCanonical`` with the
  /// first page that these tables do not translate.
  /// - Complexity: O(entries of the tables of the range)
  @inlinable
  public mutating func cleanUp(_ range: AddrRange<VirtAddr>) throws(RangeError<MapError>) -> TLBFlush {
    let span = try mapSpan(range)
    cleanUp(rootTable, level: Format.rootLevel, span)
    return span.flush()
  }

  @inlinable
  mutating func cleanUp(_ table: Table, level: Int, _ span: TableSpan) {
    var at = span.start
    while at < span.end {
      let slot = span.slot(at: at, level: level)
      let index = slotIndex(at, level: level)
      let entry = table[index]
      if isOwnTable(entry, level: level) {
        let below = self.table(entry)
        if level > 1 { cleanUp(below, level: level - 1, slot) }
        if !isSharedSlot(index, level: level), isEmptyTable(below) {
          table.take(at: index)
          retired.push(Format.address(in: entry), mapper)
        }
      }
      at = slot.end
    }
  }

  /// Whether other roots refer to the table that this slot refers to.
  @inlinable @inline(__always)
  func isSharedSlot(_ index: Int, level: Int) -> Bool {
    level == Format.rootLevel && Format.kernelEntries.contains(index)
  }

  /// Whether no entry of a table is present.
  @inlinable
  func isEmptyTable(_ table: Table) -> Bool {
    var index = 0
    while index < Format.entryCount {
      if Format.isPresent(table[index]) { return false }
      index += 1
    }
    return true
  }

  /// Whether nothing is mapped below a table entry.
  @inlinable
  func isEmptyTree(_ entry: PageTableEntry, level: Int) -> Bool {
    let below = table(entry)
    if level == 1 { return isEmptyTable(below) }
    for index in 0..<Format.entryCount {
      let entry = below[index]
      switch Format.kind(of: entry, level: level - 1) {
      case .empty: break
      case .table: if !isEmptyTree(entry, level: level - 1) { return false }
      case .leaf, .malformed: return false
      }
    }
    return true
  }

  /// Retires the tables at and below an unlinked entry; does nothing for an entry that refers to no table.
  @inlinable
  mutating func retireTree(_ entry: PageTableEntry, level: Int) {
    guard Format.kind(of: entry, level: level) == .table else { return }
    let below = table(entry)
    if level > 1 {
      for index in 0..<Format.entryCount {
        retireTree(below[index], level: level - 1)
      }
    }
    retired.push(Format.address(in: entry), mapper)
  }

  /// A range as a span, or the error with the first page that cannot be translated.
  @inlinable
  func mapSpan(_ range: AddrRange<VirtAddr>) throws(RangeError<MapError>) -> TableSpan {
    do throws(NonCanonical) {
      return try TableSpan.covering(range, Format.self)
    } catch {
      throw RangeError(.nonCanonical, at: error.page)
    }
  }
}
