public import Addresses
public import Assertions
public import MemoryProtocols

// Operations on single pages.

extension PageTable: PageTableOps {
  /// Maps a page to a frame, which must be at least as large as the page and aligned to its size.
  ///
  /// A large page replaces an empty table, which is retired. A table that the root's kernel half refers to is never
  /// replaced, since other roots refer to it too: ``MapError/alreadyMapped``. Traps unless the permissions allow
  /// something.
  /// - Complexity: O(levels), and O(512) where a large page meets a table
  @inlinable
  public mutating func map(
    _ page: Page<VirtAddr>, to frame: Page<PhysAddr>, _ attributes: PageAttributes,
    _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(MapError) -> TLBFlush {
    requireSomething(attributes.permissions)
    if let refusal = Format.refusal(of: attributes) { throw refusal }
    if !has(page.size) { throw .unsupportedPageSize(page.size) }
    guard let span = TableSpan(page, Format.self) else { throw .nonCanonical }
    let isAligned = frame.start.isAligned(to: page.size.byteCount) && frame.size >= page.size
    guard isAligned, Format.canHold(frame.start.raw | (page.size.byteCount - 1)) else { throw .misalignedFrame }

    // Plan: down to which level do tables exist?
    let target = page.size.level
    let (table, level, entry) = lowestEntry(span.start, downTo: target)
    switch Format.kind(of: entry, level: level) {
    case .malformed: throw .internalError
    case .leaf: throw .alreadyMapped
    case .table:
      let isReplaceable = !isSharedSlot(slotIndex(span.start, level: level), level: level)
      guard isReplaceable, isEmptyTree(entry, level: level) else { throw .alreadyMapped }
    case .empty: break
    }
    guard var chain = TableChain.allocate(level - target, &allocator, mapper) else {
      throw .frameAllocationFailed
    }

    // Write from the leaf up: one store then makes the whole path reachable.
    var new = Format.leafEntry(frame.start, attributes, level: target)
    for built in target..<level {
      let (tableEntry, table) = takeTable(&chain)
      table.store(new, at: slotIndex(span.start, level: built))
      new = tableEntry
    }
    table.link(new, at: slotIndex(span.start, level: level))
    if level == target { retireTree(entry, level: level) }
    return TLBFlush(page)
  }

  /// Removes a mapping. Returns its frame, which becomes available once the TLBs are flushed.
  ///
  /// Empty tables stay until ``cleanUp(_:)``.
  /// - Complexity: O(levels)
  @inlinable
  public mutating func unmap(_ page: Page<VirtAddr>) throws(UnmapError) -> UnmappedFrame {
    if !has(page.size) { throw .unsupportedPageSize(page.size) }
    guard let span = TableSpan(page, Format.self) else { throw .notMapped }
    let target = page.size.level
    let (table, level, entry) = lowestEntry(span.start, downTo: target)
    guard Format.kind(of: entry, level: level) == .leaf else { throw .notMapped }
    guard level == target else { throw .hugePage }
    table.store(.empty, at: slotIndex(span.start, level: level))
    return UnmappedFrame(Format.frame(of: entry, level: level), TLBFlush(page))
  }

  /// Changes the permissions of a mapping of exactly this size.
  ///
  /// Throws ``MapError/unsupportedPageSize(_:)`` with the mapping's size when it is larger than the page: split it
  /// first, or change a range. An accessed or dirty mark that a processor sets during the change may be lost. Traps
  /// unless `permissions` allow something.
  /// - Complexity: O(levels)
  @inlinable
  public mutating func updatePermissions(
    _ page: Page<VirtAddr>, _ permissions: MemPerm
  ) throws(MapError) -> TLBFlush {
    requireSomething(permissions)
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
    table.store(Format.leaf(entry, with: permissions), at: slotIndex(span.start, level: level))
    return TLBFlush(page)
  }

  /// The entry that decides about an address: the one at the target level, or a higher one that is not a table.
  @inlinable @inline(__always)
  func lowestEntry(
    _ address: UInt64, downTo target: Int
  ) -> (table: Table, level: Int, entry: PageTableEntry) {
    var table = rootTable
    var level = Format.rootLevel
    var entry = table[slotIndex(address, level: level)]
    while level > target, Format.kind(of: entry, level: level) == .table {
      table = self.table(entry)
      level -= 1
      entry = table[slotIndex(address, level: level)]
    }
    return (table, level, entry)
  }

  /// Whether entries of some level map pages of this size.
  @inlinable @inline(__always)
  func has(_ size: PageSize) -> Bool { Format.has(size) && size <= largestPage }

  /// Traps unless the permissions allow something.
  @inlinable @inline(__always)
  func requireSomething(_ permissions: MemPerm) {
    require(
      permissions.rawValue & 7 != 0, "a mapping must allow reading, writing or executing; unmap it to forbid all")
  }
}
