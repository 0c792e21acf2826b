public import Addresses
public import Assertions
public import MemoryProtocols

// Operations on single pages.

extension PageTable: PageTableOps {
  /// Maps a page to a frame, which must be at least as large as the page and aligned to its size.
  ///
  /// An empty table in a large page's place is in the way: ``MapError/emptyTable``. Traps unless the permissions allow
  /// something.
  /// - Complexity: O(levels), and O(512) where a large page meets a table
  @inlinable
  public mutating func map(
    _ page: Page<VirtAddr>, to frame: Page<PhysAddr>, _ attributes: PageAttributes,
    _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(MapError) -> TLBFlush {
    let (span, table, level, entry) = try planMap(page, to: frame, attributes)
    if Format.kind(of: entry, level: level) == .table { throw .emptyTable }

    let target = page.size.level
    guard var chain = TableChain.allocate(level - target, of: Format.granule, &allocator, mapper) else {
      throw .frameAllocationFailed
    }
    // Write from the leaf up: one store then makes the whole path reachable.
    var new = Format.leafEntry(frame.start, attributes, level: target)
    for built in target..<level {
      let (tableEntry, table) = takeTable(&chain)
      table.vacant(at: slotIndex(span.start, level: built)).make(new)
      new = tableEntry
    }
    table.vacant(at: slotIndex(span.start, level: level)).link(new)
    return TLBFlush(page)
  }

  /// Maps a page to a frame, and lets a large page replace empty tables: they are unlinked, flushed, and retired.
  ///
  /// Otherwise as ``map(_:to:_:_:)``. A table that the root's kernel half refers to is never replaced, since other roots
  /// refer to it too: ``MapError/alreadyMapped``.
  /// - Complexity: O(levels), and O(512) for each table that the page replaces
  @inlinable
  public mutating func map(
    _ page: Page<VirtAddr>, to frame: Page<PhysAddr>, _ attributes: PageAttributes,
    _ allocator: inout some FrameAllocator & ~Copyable, _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(MapError) -> TLBFlush {
    let (span, table, level, entry) = try planMap(page, to: frame, attributes)
    guard Format.kind(of: entry, level: level) == .table else {
      return try map(page, to: frame, attributes, &allocator)
    }
    let vacant = table.break(at: slotIndex(span.start, level: level)).flush(TLBFlush(page), using: &tlb)
    vacant.make(Format.leafEntry(frame.start, attributes, level: level))
    retireTree(entry, level: level)
    return TLBFlush(page)
  }

  /// Checks whether a page can be mapped. Returns its span and the entry down to which tables exist: an empty one, or
  /// one of the page's level that refers to tables without any mapping.
  @inlinable
  func planMap(
    _ page: Page<VirtAddr>, to frame: Page<PhysAddr>, _ attributes: PageAttributes
  ) throws(MapError) -> (span: TableSpan, table: Table, level: Int, entry: PageTableEntry) {
    let span = try Format.span(of: page, mappedTo: frame, attributes, largestPage: largestPage)
    let (table, level, entry) = lowestEntry(span.start, downTo: page.size.level)
    switch Format.kind(of: entry, level: level) {
    case .malformed: throw .internalError
    case .leaf: throw .alreadyMapped
    case .table where !isOwnTable(entry, level: level): throw .internalError
    case .table:
      let isReplaceable = !isSharedSlot(slotIndex(span.start, level: level), level: level)
      guard isReplaceable, isEmptyTree(entry, level: level) else { throw .alreadyMapped }
    case .empty: break
    }
    return (span, table, level, entry)
  }

  /// Removes a mapping. Returns its frame, which becomes available once the TLBs are flushed, with its marks.
  ///
  /// Empty tables stay until ``cleanUp(_:)``. A member of a run is not removed alone: ``UnmapError/hugePage``. Until the
  /// flush, nothing may be mapped there again.
  /// - Complexity: O(levels)
  @inlinable
  public mutating func unmap(_ page: Page<VirtAddr>) throws(UnmapError) -> UnmappedFrame {
    if !has(page.size) { throw .unsupportedPageSize(page.size) }
    guard let span = TableSpan(page, Format.self) else { throw .notMapped }
    let target = page.size.level
    let (table, level, entry) = lowestEntry(span.start, downTo: target)
    guard Format.kind(of: entry, level: level) == .leaf else { throw .notMapped }
    guard level == target, Format.runCount(of: entry, level: level) == 1 else { throw .hugePage }
    let old = table.take(at: slotIndex(span.start, level: level))
    return UnmappedFrame(
      Format.frame(of: old, level: level), isAccessed: Format.isAccessed(old), isDirty: Format.isDirty(old),
      TLBFlush(page))
  }

  /// Changes the permissions of a mapping of exactly this size.
  ///
  /// Throws ``MapError/unsupportedPageSize(_:)`` with the mapping's size when it is larger than the page, and
  /// ``MapError/partOfRun`` when it is a member of a run: split it first, or change a range. No mark that a processor
  /// sets meanwhile is lost. Traps unless `permissions` allow something.
  /// - Complexity: O(levels)
  @inlinable
  public mutating func updatePermissions(
    _ page: Page<VirtAddr>, _ permissions: MemPerm
  ) throws(MapError) -> TLBFlush {
    permissions.requireSomething()
    if !Format.supports(permissions) { throw .unsupportedPermissions(permissions) }
    if !has(page.size) { throw .unsupportedPageSize(page.size) }
    guard let span = TableSpan(page, Format.self) else { throw .nonCanonical }
    let target = page.size.level
    let (table, level, entry) = lowestEntry(span.start, downTo: target)
    switch Format.kind(of: entry, level: level) {
    case .malformed: throw .internalError
    case .empty, .table: throw .notMapped
    case .leaf: if level != target { throw .unsupportedPageSize(Format.pageSize(level: level)) }
    }
    if Format.runCount(of: entry, level: level) != 1 { throw .partOfRun }
    changePermissions(of: entry, in: table, at: slotIndex(span.start, level: level)) {
      Format.leaf($0, with: permissions)
    }
    return TLBFlush(page)
  }

  /// The entry that decides about an address: the one at the target level, or a higher one that is not a table, or that
  /// is recursive.
  @inlinable @inline(__always)
  func lowestEntry(
    _ address: UInt64, downTo target: Int
  ) -> (table: Table, level: Int, entry: PageTableEntry) {
    var table = rootTable
    var level = Format.rootLevel
    var entry = table[slotIndex(address, level: level)]
    while level > target, isOwnTable(entry, level: level) {
      table = self.table(entry)
      level -= 1
      entry = table[slotIndex(address, level: level)]
    }
    return (table, level, entry)
  }

  /// Whether entries of some level map pages of this size.
  @inlinable @inline(__always)
  func has(_ size: PageSize) -> Bool { Format.has(size) && size <= largestPage }
}

extension PageTableFormat {
  /// The bytes of a page that can be mapped to a frame, or why it cannot, whatever is mapped there now. Traps unless the
  /// permissions allow something.
  @inlinable @inline(__always)
  static func span(
    of page: Page<VirtAddr>, mappedTo frame: Page<PhysAddr>, _ attributes: PageAttributes, largestPage: PageSize
  ) throws(MapError) -> TableSpan<Self> {
    attributes.permissions.requireSomething()
    if let refusal = refusal(of: attributes) { throw refusal }
    guard has(page.size), page.size <= largestPage else { throw .unsupportedPageSize(page.size) }
    guard let span = TableSpan<Self>(page, Self.self) else { throw .nonCanonical }
    let isAligned = frame.start.isAligned(to: page.size.byteCount) && frame.size >= page.size
    guard isAligned, canHold(frame.start.raw | (page.size.byteCount - 1)) else { throw .misalignedFrame }
    return span
  }
}

extension MemPerm {
  /// Traps unless the permissions allow something.
  @inlinable @inline(__always)
  func requireSomething() {
    require(rawValue & 7 != 0, "a mapping must allow reading, writing or executing; unmap it to forbid all")
  }
}
