// Contiguous entries (Arm DDI 0487, D8.7.1 "The Contiguous bit"): with a 4 KiB granule, 16 aligned entries with bit 52
// set map 16 adjacent pages or blocks with equal attributes, and a processor may cache them as one. Changing the bit, or
// one entry of the 16, needs break-before-make for all of them. So does a block's change of size, since not every
// processor has FEAT_BBM at level 2.

extension AArch64Format {
  /// AP[2] is both a permission and, inverted, the dirty mark.
  @inlinable public static var marksAreSeparate: Bool { false }

  @inlinable public static var canResizeInPlace: Bool { false }

  @inlinable static var contiguous: UInt64 { 1 << 52 }

  @inlinable @inline(__always)
  public static func runCount(of leaf: PageTableEntry, level: Int) -> Int { leaf.bits & contiguous != 0 ? 16 : 1 }

  @inlinable @inline(__always)
  public static func alone(_ leaf: PageTableEntry, at index: Int, level: Int) -> PageTableEntry {
    PageTableEntry(leaf.bits & ~contiguous)
  }
}
