public import Addresses

// The walk: from the root, each level's nine bits of the address choose an entry, down to a leaf.

extension PageTable {
  /// Where an address leads; ``TranslationError/notMapped`` also for one that these tables do not translate.
  /// - Complexity: O(levels)
  @inlinable
  public func translate(_ address: VirtAddr) throws(TranslationError) -> Translation<Format> {
    guard Format.covers(address) else { throw .notMapped }
    let raw = UInt64(address.raw)
    var table = rootTable
    var level = Format.rootLevel
    while level > 0 {
      let entry = table[slotIndex(raw, level: level)]
      guard Format.isPlainTable(entry, level: level) else {
        return try translateRestricted(raw, entry, level: level)
      }
      table = self.table(entry)
      level -= 1
    }
    let entry = table[slotIndex(raw, level: 0)]
    guard Format.isPresent(entry) else { throw .notMapped }
    return try translateLeaf(raw, entry, level: 0)
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

  /// Goes on from an entry that is no plain table: a large page, nothing, or a table that restricts.
  @inlinable @inline(never)
  func translateRestricted(
    _ raw: UInt64, _ entry: PageTableEntry, level: Int
  ) throws(TranslationError) -> Translation<Format> {
    switch Format.kind(of: entry, level: level) {
    case .empty, .malformed: throw .notMapped
    case .leaf: return try translateLeaf(raw, entry, level: level)
    case .table:
      let next = table(entry)[slotIndex(raw, level: level - 1)]
      let below = try translateRestricted(raw, next, level: level - 1)
      return Translation(below.physical, Format.restricting(below.leaf, by: entry), level: below.level)
    }
  }

  @inlinable @inline(__always)
  func translateLeaf(
    _ raw: UInt64, _ entry: PageTableEntry, level: Int
  ) throws(TranslationError) -> Translation<Format> {
    if level == 0, Format.kind(of: entry, level: 0) != .leaf { throw .notMapped }
    let offsetMask = slotByteCount(level) - 1
    let physical = Format.address(in: entry).raw & ~offsetMask | raw & offsetMask
    return Translation(PhysAddr(physical), entry, level: level)
  }
}
