public import Addresses
public import Assertions

// A recursive entry of the root refers to the root itself. A walk through it starts over with one level less to go, and
// ends at a table instead of a page. The lowest table on the path to an address is visible at that address, shifted down
// by the bits of one index, with the entry's index on top; another shift leads to the table above. A kernel without a
// direct map reaches its active tables in this way, for instance to build the direct map that ``OffsetPhysMapper`` then
// uses.
//
// Frames that no table refers to are not visible in the window, so it is no ``PhysMapper``.

/// The addresses at which a recursive entry shows the active tables as pages.
@frozen
public struct RecursiveWindow<Format: PageTableFormat>: Equatable, Sendable {
  /// The index of the root's entry that refers to the root.
  public let index: Int

  /// The window of the entry at `index`; traps unless the root has that entry, and with a format whose table entries map
  /// no page at level 0: RISC-V's.
  @inlinable
  public init(index: Int) {
    require(
      UInt64(truncatingIfNeeded: index) < Format.rootEntryCount, "a recursive entry must be one of the root's, found",
      UInt64(truncatingIfNeeded: index))
    require(
      Format.kind(of: Format.tableEntry(PhysAddr(Format.granule.byteCount)), level: 0) == .leaf,
      "a recursive entry needs a format whose tables can be pages")
    self.index = index
  }

  /// The entry of a level on the path to an address.
  ///
  /// Reading it faults unless the entries above it refer to tables. Traps unless the format translates the address and
  /// has the level.
  /// - Complexity: O(levels)
  @inlinable
  public func entry(of address: VirtAddr, level: Int) -> VirtAddr {
    require(Format.covers(address), "an address must be one that the tables translate, found", UInt64(address.raw))
    require(
      (0...Format.rootLevel).contains(level), "the format has no such level:", UInt64(truncatingIfNeeded: level))
    var bits = UInt64(address.raw) & Format.translatedMask
    let top = UInt64(truncatingIfNeeded: index) << UInt64(truncatingIfNeeded: Format.slotBitCount(Format.rootLevel))
    for _ in 0...level {
      bits = bits >> UInt64(truncatingIfNeeded: Format.indexBitCount) | top
    }
    return Format.address(bits & ~7)
  }

  /// The table of a level on the path to an address, as a page; level ``PageTableFormat/rootLevel`` is the root's.
  ///
  /// Traps as ``entry(of:level:)`` does.
  /// - Complexity: O(levels)
  @inlinable
  public func table(of address: VirtAddr, level: Int) -> Page<VirtAddr> {
    Page(containing: entry(of: address, level: level), size: Format.granule)
  }
}
