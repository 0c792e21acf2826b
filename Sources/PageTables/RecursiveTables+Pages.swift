public import Addresses
public import MemoryProtocols

// Operations on single pages, through the window.

extension RecursiveTables: PageTableOps where TLB: ~Copyable {
  /// The frame of the root table.
  /// - Complexity: O(1)
  @inlinable
  public var root: PhysAddr {
    Format.address(in: table(of: scratch.start, level: Format.rootLevel)[window.index])
  }

  /// Maps a page to a frame, which must be at least as large as the page and aligned to its size.
  ///
  /// New tables are cleared at the scratch page, which is flushed for each. A large page does not replace an empty table:
  /// ``MapError/emptyTable``. In the window, ``MapError/internalError``. Traps unless the permissions allow something.
  /// - Complexity: O(levels), and O(512) for each table in a large page's place
  @inlinable
  public mutating func map(
    _ page: Page<VirtAddr>, to frame: Page<PhysAddr>, _ attributes: PageAttributes,
    _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(MapError) -> TLBFlush {
    _ = try Format.span(of: page, mappedTo: frame, attributes, largestPage: largestPage)
    if isInWindow(page.start) { throw .internalError }
    let target = page.size.level
    let (table, level, entry) = lowestEntry(page.start, downTo: target)
    switch Format.kind(of: entry, level: level) {
    case .malformed: throw .internalError
    case .leaf: throw .alreadyMapped
    case .table: throw isEmptyTree(page.start, level: level - 1) ? .emptyTable : .alreadyMapped
    case .empty: break
    }
    let tables = try allocate(level - target, &allocator)
    var new = Format.leafEntry(frame.start, attributes, level: target)
    for built in target..<level {
      new = makeTable(in: tables[built - target], with: new, at: slotIndex(page.start, level: built))
    }
    table.vacant(at: slotIndex(page.start, level: level)).link(new)
    return TLBFlush(page)
  }

  /// As many frames for tables, or none.
  @inlinable
  func allocate(
    _ count: Int, _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(MapError) -> InlineArray<4, PhysAddr> {
    var frames = InlineArray<4, PhysAddr>(repeating: .null)
    for index in 0..<count {
      guard let frame = allocator.allocate(Format.granule) else {
        for taken in 0..<index { allocator.deallocate(Page(start: frames[taken], size: Format.granule)) }
        throw .frameAllocationFailed
      }
      frames[index] = frame.start
    }
    return frames
  }

  /// Removes a mapping. Returns its frame, which becomes available once the TLBs are flushed, with its marks.
  ///
  /// Empty tables stay. Until the flush, nothing may be mapped there again.
  /// - Complexity: O(levels)
  @inlinable
  public mutating func unmap(_ page: Page<VirtAddr>) throws(UnmapError) -> UnmappedFrame {
    if !has(page.size) { throw .unsupportedPageSize(page.size) }
    guard Format.covers(page.start), !isInWindow(page.start) else { throw .notMapped }
    let target = page.size.level
    let (table, level, entry) = lowestEntry(page.start, downTo: target)
    guard Format.kind(of: entry, level: level) == .leaf else { throw .notMapped }
    guard level == target else { throw .hugePage }
    let old = table.take(at: slotIndex(page.start, level: level))
    return UnmappedFrame(
      Format.frame(of: old, level: level), isAccessed: Format.isAccessed(old), isDirty: Format.isDirty(old),
      TLBFlush(page))
  }

  /// Translates an address. ``TranslationError/notMapped`` also covers addresses that these tables do not translate.
  /// - Complexity: O(levels)
  @inlinable
  public func translate(_ address: VirtAddr) throws(TranslationError) -> Translation<Format> {
    guard Format.covers(address) else { throw .notMapped }
    return try translate(address, level: Format.rootLevel)
  }

  @inlinable
  func translate(_ address: VirtAddr, level: Int) throws(TranslationError) -> Translation<Format> {
    let entry = table(of: address, level: level)[slotIndex(address, level: level)]
    switch Format.kind(of: entry, level: level) {
    case .empty, .malformed: throw .notMapped
    case .table:
      let below = try translate(address, level: level - 1)
      return Translation(below.physical, Format.restricting(below.leaf, by: entry), level: below.level)
    case .leaf:
      let frame = Format.frame(of: entry, level: level)
      let offset = UInt64(address.raw) & (frame.size.byteCount - 1)
      return Translation(frame.start + offset, entry, level: level)
    }
  }

  /// The frame that a page of exactly this size is mapped to.
  /// - Complexity: O(levels)
  @inlinable
  public func translate(_ page: Page<VirtAddr>) throws(TranslationError) -> Page<PhysAddr> {
    let translation = try translate(page.start)
    if translation.size > page.size { throw .hugePage }
    guard translation.size == page.size else { throw .notMapped }
    return translation.frame
  }

  /// Changes the permissions of a mapping of exactly this size.
  ///
  /// Throws ``MapError/unsupportedPageSize(_:)`` with the mapping's size when it is larger than the page. No mark that a
  /// processor sets meanwhile is lost. Traps unless `permissions` allow something.
  /// - Complexity: O(levels)
  @inlinable
  public mutating func updatePermissions(
    _ page: Page<VirtAddr>, _ permissions: MemPerm
  ) throws(MapError) -> TLBFlush {
    permissions.requireSomething()
    if !Format.supports(permissions) { throw .unsupportedPermissions(permissions) }
    if !has(page.size) { throw .unsupportedPageSize(page.size) }
    guard Format.covers(page.start) else { throw .nonCanonical }
    if isInWindow(page.start) { throw .notMapped }
    let target = page.size.level
    let (table, level, entry) = lowestEntry(page.start, downTo: target)
    switch Format.kind(of: entry, level: level) {
    case .malformed: throw .internalError
    case .empty, .table: throw .notMapped
    case .leaf: if level != target { throw .unsupportedPageSize(Format.pageSize(level: level)) }
    }
    table.change(entry, at: slotIndex(page.start, level: level)) { Format.leaf($0, with: permissions) }
    return TLBFlush(page)
  }

  /// Whether entries of some level map pages of this size.
  @inlinable
  func has(_ size: PageSize) -> Bool { Format.has(size) && size <= largestPage }
}
