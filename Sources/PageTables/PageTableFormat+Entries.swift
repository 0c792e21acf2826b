public import Addresses

// What follows for every format from the requirements of `PageTableFormat`.

extension PageTableFormat {
  /// The bit that makes an entry present: bit 0 in every format here. An entry without it is ignored by processors,
  /// whatever its other bits.
  @inlinable static var presentBit: UInt64 { 1 }

  /// Marks have bits of their own unless the format says otherwise.
  @inlinable public static var marksAreSeparate: Bool { true }

  /// In-place changes of size are allowed unless the format says otherwise.
  @inlinable public static var canResizeInPlace: Bool { true }

  /// Formats without runs have leaves on their own.
  @inlinable @inline(__always)
  public static func runCount(of leaf: PageTableEntry, level: Int) -> Int { 1 }

  /// Formats without runs have leaves on their own.
  @inlinable @inline(__always)
  public static func alone(_ leaf: PageTableEntry, at index: Int, level: Int) -> PageTableEntry { leaf }

  /// A table entry that refers to another table. Everything else stays.
  @inlinable
  static func table(_ entry: PageTableEntry, movedTo table: PhysAddr) -> PageTableEntry {
    PageTableEntry(entry.bits ^ tableEntry(address(in: entry)).bits ^ tableEntry(table).bits)
  }

  /// A leaf marked accessed, and dirty too if `isDirty`.
  @inlinable
  static func marked(_ leaf: PageTableEntry, dirty isDirty: Bool) -> PageTableEntry {
    let accessed = PageTableEntry(leaf.bits | accessedBits)
    return isDirty ? self.leaf(accessed, markedDirty: true) : accessed
  }

  /// A leaf without its accessed and dirty marks.
  @inlinable @inline(__always)
  static func withoutMarks(_ leaf: PageTableEntry) -> PageTableEntry {
    PageTableEntry(self.leaf(leaf, markedDirty: false).bits & ~accessedBits)
  }
}
