public import Addresses
public import MemoryProtocols

// Changing the permissions of a range: check the boundaries as for unmapping, then walk once.

extension PageTable {
  /// Changes the permissions of everything mapped in a range; the range may have holes.
  ///
  /// A large page that reaches beyond the range is split, unless it has the new permissions already. Traps unless
  /// `permissions` allow something. Each entry is read, changed and written back, so an accessed or dirty mark that a
  /// processor sets meanwhile may be lost. A caller that needs the marks keeps processors out of the range during the
  /// change.
  /// - Throws: ``MapError/frameAllocationFailed`` for the end that lies inside a large page, when there is no frame for
  ///   the table; ``MapError/nonCanonical``.
  /// - Complexity: O(pages); visits no table more than once, except to check the two ends.
  @inlinable
  public mutating func protect(
    _ range: AddrRange<VirtAddr>, _ permissions: MemPerm, _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(RangeError<MapError>) -> TLBFlush {
    requireSomething(permissions)
    if !Format.supports(permissions) {
      throw RangeError(.unsupportedPermissions(permissions), at: try mapSpan(range).firstPage)
    }
    return try change(range, PermissionChange<Format>(to: permissions), &allocator)
  }

  /// Changes every leaf in a range.
  @inlinable
  mutating func change<Change: LeafChange>(
    _ range: AddrRange<VirtAddr>, _ change: Change, _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(RangeError<MapError>) -> TLBFlush {
    let span = try mapSpan(range)
    if span.isEmpty { return span.flush() }
    let count = splitsNeeded(span) { change.leavesAlone($0) }
    guard var chain = TableChain.allocate(count, &allocator, mapper) else {
      let isLower = !splitLevels(at: span.start) { change.leavesAlone($0) }.isEmpty
      throw RangeError(.frameAllocationFailed, at: span.page(at: isLower ? span.start : span.end))
    }
    self.change(rootTable, level: Format.rootLevel, span, change, &chain)
    return span.flush()
  }

  @inlinable
  func change<Change: LeafChange>(
    _ table: Table, level: Int, _ span: TableSpan, _ change: Change, _ chain: inout TableChain
  ) {
    if level == 0 {
      changeLeaves(table, span, change)
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
          table.store(change.changed(entry), at: index)
        } else if !change.leavesAlone(entry) {
          let below = splitLeaf(entry, level: level, in: table, at: index, &chain)
          self.change(below, level: level - 1, slot, change, &chain)
        }
      case .table:
        self.change(self.table(entry), level: level - 1, slot, change, &chain)
      }
      at = slot.end
    }
  }

  @inlinable @inline(__always)
  func changeLeaves<Change: LeafChange>(_ table: Table, _ span: TableSpan, _ change: Change) {
    var index = slotIndex(span.start, level: 0)
    let end = slotIndex(span.end - Format.granule.byteCount, level: 0) + 1
    while index < end {
      let entry = table[index]
      if Format.isPresent(entry) {
        table.store(change.changed(entry), at: index)
      }
      index += 1
    }
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
