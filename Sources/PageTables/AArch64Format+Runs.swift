public import Addresses

// Contiguous entries (Arm DDI 0487, D8.7.1 "The Contiguous bit"): an aligned group of entries with bit 52 set maps adjacent
// pages or blocks with equal attributes, and a processor may cache them as one. Changing the bit, or one entry of the
// group, needs break-before-make for all of it. So does a block's change of size, since not every processor has FEAT_BBM
// at level 2.
//
//   granule   level 0   above
//    4 KiB         16      16
//   16 KiB        128      32
//   64 KiB         32      32

extension AArch64Format {
  /// AP[2] is both a permission and, inverted, the dirty mark.
  @inlinable public static var marksAreSeparate: Bool { false }

  /// A change of size must break before make, except with FEAT_BBM, which the format does not assume.
  @inlinable public static var canResizeInPlace: Bool { false }

  @inlinable static var contiguous: UInt64 { 1 << 52 }

  /// The number of entries that the contiguous bit joins: a property of granule and level.
  @inlinable @inline(__always)
  public static func runCount(of leaf: PageTableEntry, level: Int) -> Int {
    if _fastPath(leaf.bits & contiguous == 0) { return 1 }
    if granule == PageSize.size16KiB { return level == 0 ? 128 : 32 }
    return granule == PageSize.size64KiB ? 32 : 16
  }

  /// The leaf without its contiguous bit.
  @inlinable @inline(__always)
  public static func alone(_ leaf: PageTableEntry, at index: Int, level: Int) -> PageTableEntry {
    PageTableEntry(leaf.bits & ~contiguous)
  }
}
