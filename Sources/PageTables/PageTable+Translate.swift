public import Addresses

// The walk: from the root down to a leaf, nine bits of the address per level choose an entry.

extension PageTable {
  /// Translates an address. ``TranslationError/notMapped`` also covers addresses that these tables do not translate.
  ///
  /// The walk to a 4 KiB page through tables without restrictions is inlined; large pages and all else take a call.
  /// - Complexity: O(levels)
  @inlinable @inline(__always)
  public func translate(_ address: VirtAddr) throws(TranslationError) -> Translation<Format> {
    let raw = UInt64(address.raw)
    let rootIndex = Format.rootIndex(of: address)
    guard _fastPath(rootIndex < Format.rootEntryCount) else { return try translateSlowly(address) }
    var entry = rootTable[Int(truncatingIfNeeded: rootIndex)]
    var level = Format.rootLevel
    while true {
      guard _fastPath(Format.isPlainTable(entry, level: level)) else { return try translateSlowly(address) }
      level -= 1
      if level == 0 { break }
      entry = table(entry)[slotIndex(raw, level: level)]
    }
    let leaf = table(entry)[slotIndex(raw, level: 0)]
    guard _fastPath(Format.kind(of: leaf, level: 0) == .leaf && Format.runCount(of: leaf, level: 0) == 1) else {
      return try translateSlowly(address)
    }
    return Translation(PhysAddr(Format.address(in: leaf).raw | raw & (Format.granule.byteCount - 1)), leaf, level: 0)
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

  /// The whole walk, for every kind of entry on the path.
  @inlinable @inline(never)
  func translateSlowly(_ address: VirtAddr) throws(TranslationError) -> Translation<Format> {
    guard Format.covers(address) else { throw .notMapped }
    let raw = UInt64(address.raw) & Format.translatedMask
    return try translate(raw, in: rootTable, level: Format.rootLevel)
  }

  @inlinable
  func translate(_ raw: UInt64, in table: Table, level: Int) throws(TranslationError) -> Translation<Format> {
    let index = slotIndex(raw, level: level)
    let entry = table[index]
    switch Format.kind(of: entry, level: level) {
    case .empty, .malformed: throw .notMapped
    case .table:
      let below = try translate(raw, in: self.table(entry), level: level - 1)
      return Translation(below.physical, Format.restricting(below.leaf, by: entry), level: below.level)
    case .leaf:
      let leaf = lone(entry, in: table, at: index, level: level)
      let offsetMask = slotByteCount(level) - 1
      let physical = Format.address(in: leaf).raw & ~offsetMask | raw & offsetMask
      return Translation(PhysAddr(physical), leaf, level: level)
    }
  }
}
