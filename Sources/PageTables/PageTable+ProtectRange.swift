public import Addresses

// Changing the permissions of a range: the same look at the boundaries as for unmapping, then one walk.

extension PageTable {
  /// Changes what everything mapped in a range allows; the range may have holes.
  ///
  /// A large page that reaches beyond the range is split, unless it allows just that already. Traps
  /// unless `permissions` allow something. An accessed or dirty mark that a processor sets on a page during the very
  /// change may be lost: each entry is read, changed and written back. A caller to whom a mark matters keeps the
  /// processors from the range meanwhile.
  /// - Throws: ``MapError/frameAllocationFailed`` for the end that lies inside a large page, when there is no frame
  ///   for the table; ``MapError/nonCanonical``.
  /// - Complexity: O(pages); no table is visited more than once, but for a look at the two ends.
  @inlinable
  public mutating func protect(
    _ range: AddrRange<VirtAddr>, _ permissions: MemPerm, _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(RangeError<MapError>) -> TLBFlush {
    requireSomething(permissions)
    let granted = Format.granted(permissions)
    return try change(range, &allocator) {
      Format.permissions(of: $0) == granted
    } to: {
      Format.leaf($0, with: permissions)
    }
  }

  /// Changes every leaf in a range.
  ///
  /// - Parameters:
  ///   - unless: Whether a large page at a boundary has already what is wanted and need not be split.
  ///   - leaf: What the leaf becomes.
  @inlinable @inline(__always)
  mutating func change(
    _ range: AddrRange<VirtAddr>, _ allocator: inout some FrameAllocator & ~Copyable,
    unless: (PageTableEntry) -> Bool, to leaf: (PageTableEntry) -> PageTableEntry
  ) throws(RangeError<MapError>) -> TLBFlush {
    let span = try mapSpan(range)
    if span.isEmpty { return span.flush() }
    guard var chain = TableChain.allocate(splitsNeeded(span, unless: unless), &allocator, mapper) else {
      let isLower = !splitLevels(at: span.start, unless).isEmpty
      throw RangeError(.frameAllocationFailed, at: span.page(at: isLower ? span.start : span.end))
    }
    change(rootTable, level: Format.rootLevel, span, &chain, unless, leaf)
    return span.flush()
  }

  @inlinable
  func change(
    _ table: Table, level: Int, _ span: TableSpan, _ chain: inout TableChain,
    _ unless: (PageTableEntry) -> Bool, _ leaf: (PageTableEntry) -> PageTableEntry
  ) {
    if level == 0 {
      changeLeaves(table, span, leaf)
      return
    }
    var at = span.start
    while at < span.end {
      let slot = span.slot(at: at, level: level)
      let index = slotIndex(at, level: level)
      let entry = table[index]
      switch Format.kind(of: entry, level: level) {
      case .empty, .malformed: break
      case .leaf:
        if slot.isWholeSlot(level: level) {
          table.store(leaf(entry), at: index)
        } else if !unless(entry) {
          let below = splitLeaf(entry, level: level, in: table, at: index, &chain)
          change(below, level: level - 1, slot, &chain, unless, leaf)
        }
      case .table:
        change(self.table(entry), level: level - 1, slot, &chain, unless, leaf)
      }
      at = slot.end
    }
  }

  @inlinable @inline(__always)
  func changeLeaves(_ table: Table, _ span: TableSpan, _ leaf: (PageTableEntry) -> PageTableEntry) {
    var index = slotIndex(span.start, level: 0)
    let end = slotIndex(span.end - 4096, level: 0) + 1
    while index < end {
      let entry = table[index]
      if Format.isPresent(entry) {
        table.store(leaf(entry), at: index)
      }
      index += 1
    }
  }
}
