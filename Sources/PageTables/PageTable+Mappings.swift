public import Addresses

// Every mapping in address order: for inspection, for tests and for searches for a frame.

extension PageTable {
  /// Visits every mapping that overlaps `range`, in address order.
  ///
  /// A page at either end may reach beyond the range. Addresses that these tables do not translate have no mappings.
  /// Behind a recursive entry the tables themselves are mapped.
  /// - Complexity: O(entries of the tables of the range)
  @inlinable
  public func forEachMapping(in range: AddrRange<VirtAddr>, _ body: (Page<VirtAddr>, Translation<Format>) -> Void) {
    if range.isEmpty { return }
    let root = TableVisit(table: rootTable, level: Format.rootLevel, start: 0, isPlain: true)
    visit(root, from: range.start, through: range.last, body)
  }

  /// Visits every mapping in address order.
  /// - Complexity: O(entries of the tables)
  @inlinable
  public func forEachMapping(_ body: (Page<VirtAddr>, Translation<Format>) -> Void) {
    let root = TableVisit(table: rootTable, level: Format.rootLevel, start: 0, isPlain: true)
    visit(root, from: .null, through: VirtAddr(.max), body)
  }

  @inlinable
  func visit(
    _ visit: TableVisit, from first: VirtAddr, through last: VirtAddr,
    _ body: (Page<VirtAddr>, Translation<Format>) -> Void
  ) {
    let slotMask = slotByteCount(visit.level) - 1
    for index in 0..<Format.entryCount {
      let entry = visit.table[index]
      let kind = Format.kind(of: entry, level: visit.level)
      guard kind == .table || kind == .leaf else { continue }
      let at =
        visit.start | UInt64(truncatingIfNeeded: index) << UInt64(truncatingIfNeeded: Format.slotBitCount(visit.level))
      let address = Format.address(at)
      guard address <= last, address.raw | UInt(truncatingIfNeeded: slotMask) >= first.raw else { continue }
      if kind == .table {
        let isPlain = visit.isPlain && Format.isPlainTable(entry, level: visit.level)
        let below = TableVisit(table: table(entry), level: visit.level - 1, start: at, isPlain: isPlain)
        self.visit(below, from: first, through: last, body)
      } else {
        let leaf = lone(entry, in: visit.table, at: index, level: visit.level)
        let frame = Format.frame(of: leaf, level: visit.level)
        var translation = Translation<Format>(frame.start, leaf, level: visit.level)
        if !visit.isPlain, let restricted = try? translate(address) { translation = restricted }
        body(Page(start: address, size: frame.size), translation)
      }
    }
  }

  /// Whether a frame of `frames` holds one of these tables, retired ones excepted. Such a frame must not be given to a
  /// program.
  /// - Complexity: O(entries of all tables but the lowest)
  @inlinable
  public func holdsTable(in frames: AddrRange<PhysAddr>) -> Bool {
    frames.contains(root) || holdsTable(in: frames, rootTable, level: Format.rootLevel)
  }

  @inlinable
  func holdsTable(in frames: AddrRange<PhysAddr>, _ table: Table, level: Int) -> Bool {
    for index in 0..<Format.entryCount {
      let entry = table[index]
      guard isOwnTable(entry, level: level) else { continue }
      if frames.contains(Format.address(in: entry)) { return true }
      if level > 1, holdsTable(in: frames, self.table(entry), level: level - 1) { return true }
    }
    return false
  }
}

/// A table on the walk through all mappings.
@frozen
@usableFromInline
struct TableVisit {
  @usableFromInline let table: Table
  @usableFromInline let level: Int
  /// The translated bits of the first address that the table maps.
  @usableFromInline let start: UInt64
  /// Whether no table above restricts it.
  @usableFromInline let isPlain: Bool

  @inlinable init(table: Table, level: Int, start: UInt64, isPlain: Bool) {
    self.table = table
    self.level = level
    self.start = start
    self.isPlain = isPlain
  }
}
