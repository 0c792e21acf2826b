// NAPOT entries (RISC-V privileged architecture, chapter "Svnapot"): 16 aligned and equal level 0 entries with N set and
// the low four bits of the PPN 1000 map a naturally aligned range of 64 KiB. The low four bits of the page's number
// replace those of the PPN. Other patterns of the low bits, and N above level 0, are reserved.

extension RISCVFormat {
  @inlinable static var napot: UInt64 { 1 << 63 }

  /// The low four bits of the PPN.
  @inlinable static var napotNumber: UInt64 { 0xF << 10 }

  /// 16 for a leaf with the NAPOT bit, which stands for 64 KiB; 1 for any other.
  @inlinable @inline(__always)
  public static func runCount(of leaf: PageTableEntry, level: Int) -> Int { leaf.bits & napot != 0 ? 16 : 1 }

  /// The leaf without its NAPOT bit, with the frame number of its place in the run.
  @inlinable @inline(__always)
  public static func alone(_ leaf: PageTableEntry, at index: Int, level: Int) -> PageTableEntry {
    if leaf.bits & napot == 0 { return leaf }
    return PageTableEntry(leaf.bits & ~(napot | napotNumber) | UInt64(truncatingIfNeeded: index & 15) << 10)
  }

  /// Whether a leaf of a level has one of the patterns that are not reserved.
  @inlinable @inline(__always)
  static func isRunLegal(_ leaf: PageTableEntry, level: Int) -> Bool {
    leaf.bits & napot == 0 || level == 0 && leaf.bits & napotNumber == 8 << 10
  }
}
