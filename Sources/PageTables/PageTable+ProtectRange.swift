public import Addresses
public import MemoryProtocols

// Changing the permissions of a range: check the boundaries as for unmapping, then walk once.

extension PageTable {
  /// Changes the permissions of everything mapped in a range; the range may have holes.
  ///
  /// A large page that reaches beyond the range is split, unless it has the new permissions already. So is a run that has
  /// a page in the range. No mark that a processor sets meanwhile is lost. Traps unless `permissions` allow something.
  ///
  /// - Parameters:
  ///   - range: The pages to change, at multiples of the smallest page; anything else traps.
  ///   - permissions: What the pages allow.
  ///   - allocator: The allocator of the tables that splitting takes.
  ///   - tlb: Flushed for the pages that are split. The token that is returned is for the permissions.
  /// - Throws: ``MapError/frameAllocationFailed`` for the end that lies inside a large page, when there is no frame for
  ///   the table; ``MapError/nonCanonical``.
  /// - Complexity: O(pages); visits no table more than once, except to check the two ends.
  @inlinable
  public mutating func protect(
    _ range: AddrRange<VirtAddr>, _ permissions: MemPerm, _ allocator: inout some FrameAllocator & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(RangeError<MapError>) -> TLBFlush {
    permissions.requireSomething()
    if !Format.supports(permissions) {
      throw RangeError(.unsupportedPermissions(permissions), at: try mapSpan(range).firstPage)
    }
    return try change(range, PermissionChange<Format>(to: permissions), &allocator, &tlb)
  }

  /// Changes every leaf in a range.
  @inlinable
  mutating func change<Change: LeafChange>(
    _ range: AddrRange<VirtAddr>, _ change: Change, _ allocator: inout some FrameAllocator & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(RangeError<MapError>) -> TLBFlush {
    let span = try mapSpan(range)
    if span.isEmpty { return span.flush() }
    let count = splitsNeeded(span) { change.leavesAlone($0) }
    guard var chain = TableChain.allocate(count, of: Format.granule, &allocator, mapper) else {
      let isLower = !splitLevels(at: span.start) { change.leavesAlone($0) }.isEmpty
      throw RangeError(.frameAllocationFailed, at: span.page(at: isLower ? span.start : span.end))
    }
    self.change(rootTable, level: Format.rootLevel, span, change, &chain, &tlb)
    return span.flush()
  }

  @inlinable
  func change<Change: LeafChange>(
    _ table: Table, level: Int, _ span: TableSpan, _ change: Change, _ chain: inout TableChain,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) {
    if level == 0 {
      changeLeaves(table, span, change, &tlb)
      return
    }
    var at = span.start
    while at < span.end {
      let slot = span.slot(at: at, level: level)
      let index = slotIndex(at, level: level)
      var entry = table[index]
      switch Format.kind(of: entry, level: level) {
      case .empty, .malformed: break
      case .leaf:
        entry = splitRun(of: entry, level: level, in: table, at: index, slot, &tlb)
        if slot.isWholeSlot(level: level) {
          changePermissions(of: entry, in: table, at: index) { change.changed($0) }
        } else if !change.leavesAlone(entry) {
          let below = splitLeaf(entry, level: level, in: table, at: index, slot, &chain, &tlb)
          self.change(below, level: level - 1, slot, change, &chain, &tlb)
        }
      case .table:
        if isOwnTable(entry, level: level) {
          self.change(self.table(entry), level: level - 1, slot, change, &chain, &tlb)
        }
      }
      at = slot.end
    }
  }

  @inlinable @inline(__always)
  func changeLeaves<Change: LeafChange>(
    _ table: Table, _ span: TableSpan, _ change: Change, _ tlb: inout some TLBInvalidator & ~Copyable
  ) {
    var index = slotIndex(span.start, level: 0)
    let first = index
    let end = slotIndex(span.end - Format.granule.byteCount, level: 0) + 1
    while index < end {
      var entry = table[index]
      if Format.kind(of: entry, level: 0) == .leaf {
        let at = span.start + UInt64(truncatingIfNeeded: index - first) * Format.granule.byteCount
        entry = splitRun(of: entry, level: 0, in: table, at: index, span.slot(at: at, level: 0), &tlb)
        changePermissions(of: entry, in: table, at: index) { change.changed($0) }
      }
      index += 1
    }
  }

  /// Changes the permissions of the leaf at an index. Returns it as changed, without a mark that a processor sets
  /// meanwhile; the table keeps that mark.
  @inlinable @inline(__always) @discardableResult
  func changePermissions(
    of leaf: PageTableEntry, in table: Table, at index: Int, _ changed: (PageTableEntry) -> PageTableEntry
  ) -> PageTableEntry {
    if !Format.marksAreSeparate { return changed(table.change(leaf, at: index, changed)) }
    let new = changed(leaf)
    // One instruction on x86-64, where comparing and exchanging takes a loop.
    table.flip(bits: leaf.bits ^ new.bits, at: index)
    return new
  }
}

/// A change of each leaf of a range. A type, not a closure: the loop over a table can inline it.
@usableFromInline
protocol LeafChange {
  /// The changed leaf.
  func changed(_ leaf: PageTableEntry) -> PageTableEntry

  /// Whether a large page at the edge of the range already is as wanted and need not be split.
  func leavesAlone(_ leaf: PageTableEntry) -> Bool
}

/// Changes the permissions of leaves.
@frozen
@usableFromInline
struct PermissionChange<Format: PageTableFormat>: LeafChange {
  @usableFromInline let bits: UInt64
  @usableFromInline let granted: MemPerm

  @inlinable init(to permissions: MemPerm) {
    bits = Format.permissionBits(permissions)
    granted = Format.granted(permissions)
  }

  @inlinable @inline(__always)
  func changed(_ leaf: PageTableEntry) -> PageTableEntry { Format.leaf(leaf, withPermissionBits: bits) }

  @inlinable @inline(__always)
  func leavesAlone(_ leaf: PageTableEntry) -> Bool { Format.permissions(of: leaf) == granted }
}
