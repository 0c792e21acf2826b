public import Addresses
public import Assertions

/// The entry layout of one processor family's page tables. No other file depends on it.
///
/// A format is a type without values. Levels count from the leaves: the entries of a level 0 table map 4 KiB pages,
/// those of level 1 map 2 MiB, those of level 2 map 1 GiB; the root is at level `levelCount - 1`. Every table has
/// 512 entries of eight bytes.
///
/// The walker relies on three equations, which the tests check for each format:
/// - `kind(of: tableEntry(t), level: n) == .table` and `address(in: tableEntry(t)) == t`, for n > 0;
/// - `kind(of: leafEntry(f, p, level: n), level: n) == .leaf`, `address(in:)` gives f back, and `permissions(of:)`
///   gives `granted(p)`;
/// - an entry whose low twelve bits are all zero is not present: a table that waits to be freed can thus hold the
///   address of the next such table.
public protocol PageTableFormat: Sendable {
  /// How many tables a walk to a 4 KiB page reads: 3, 4 or 5.
  static var levelCount: Int { get }

  /// The largest page that every processor with this format has. Some x86-64 processors lack 1 GiB pages; a
  /// ``PageTable`` can be restricted accordingly.
  static var largestPage: PageSize { get }

  /// The width in bits of the physical addresses that an entry can hold.
  static var physicalAddressBitCount: Int { get }

  /// The indices of the root entries that belong to the kernel and that all address spaces share; empty where the
  /// kernel has its own root.
  static var kernelEntries: Range<Int> { get }

  /// Whether these tables can translate `address`: whether its high bits are as the processor requires.
  static func covers(_ address: VirtAddr) -> Bool

  /// The index of the root entry for an address; 512 or more if and only if ``covers(_:)`` is false.
  static func rootIndex(of address: VirtAddr) -> UInt64

  /// The address with these translated bits.
  static func address(_ translatedBits: UInt64) -> VirtAddr

  /// The kind of an entry of a level.
  static func kind(of entry: PageTableEntry, level: Int) -> PageTableEntryKind

  /// Whether the entry is present to the processor.
  static func isPresent(_ entry: PageTableEntry) -> Bool

  /// Whether the entry refers to a table and restricts nothing: a fast walk may follow it without further checks.
  static func isPlainTable(_ entry: PageTableEntry, level: Int) -> Bool

  /// The entry that refers to the table at `table` and restricts nothing below it.
  static func tableEntry(_ table: PhysAddr) -> PageTableEntry

  /// The entry of a level that maps the frame at `frame`.
  static func leafEntry(_ frame: PhysAddr, _ permissions: MemPerm, level: Int) -> PageTableEntry

  /// The address of the frame or table that a present entry refers to. For a large page, bits below its size may be set
  /// that have another meaning.
  static func address(in entry: PageTableEntry) -> PhysAddr

  /// The permissions of a leaf: `granted` of those it was made with.
  static func permissions(of leaf: PageTableEntry) -> MemPerm

  /// The permission bits of a leaf, all other bits 0.
  static func permissionBits(_ permissions: MemPerm) -> UInt64

  /// A leaf with other permissions. The frame, the marks and everything else stay.
  static func leaf(_ leaf: PageTableEntry, withPermissionBits bits: UInt64) -> PageTableEntry

  /// A leaf without write permission. Everything else stays, including the dirty mark.
  static func withoutWrite(_ leaf: PageTableEntry) -> PageTableEntry

  /// A leaf of the next lower level that maps part `index` of the 512 parts of the frame that `leaf` maps.
  static func part(_ index: Int, of leaf: PageTableEntry, level: Int) -> PageTableEntry

  /// The leaf of the next higher level over 512 contiguous frames. `first` is the first of their leaves, with the
  /// accessed and dirty bits that the caller has gathered.
  static func whole(_ first: PageTableEntry, level: Int) -> PageTableEntry

  /// A leaf with its own restrictions and those of a table entry above it.
  static func restricting(_ leaf: PageTableEntry, by table: PageTableEntry) -> PageTableEntry

  /// The permissions of a page mapped with `permissions`: at least these, plus read where the format cannot withhold
  /// it.
  static func granted(_ permissions: MemPerm) -> MemPerm

  /// The bits that are set once the page was accessed.
  static var accessedBits: UInt64 { get }

  /// Whether the page was written to since the dirty mark was last cleared.
  static func isDirty(_ leaf: PageTableEntry) -> Bool

  /// The leaf with the dirty mark set, which requires a writable page, or cleared.
  static func leaf(_ leaf: PageTableEntry, markedDirty: Bool) -> PageTableEntry

  /// Whether the processor's marks have bits that no permission is made of: permissions can then be changed by inverting
  /// the bits that differ.
  static var marksAreSeparate: Bool { get }

  /// Whether a large page may be replaced by a table of its parts, or the other way round, while processors use them.
  static var canResizeInPlace: Bool { get }

  /// How many adjacent entries of a level a leaf shares one TLB entry with, itself included; 1 for a leaf on its own.
  /// See PageTable+Runs.swift.
  static func runCount(of leaf: PageTableEntry, level: Int) -> Int

  /// The leaf at an index of its table as one on its own, which maps the same page as in its run.
  static func alone(_ leaf: PageTableEntry, at index: Int, level: Int) -> PageTableEntry
}

extension PageTableFormat {
  /// The level of the root table's entries.
  @inlinable public static var rootLevel: Int { levelCount - 1 }

  /// The bits of an address that the tables translate.
  @inlinable static var translatedMask: UInt64 { (1 << (12 + 9 * UInt64(levelCount))) - 1 }

  /// A leaf with other permissions. The frame, the marks and everything else stay.
  @inlinable public static func leaf(_ leaf: PageTableEntry, with permissions: MemPerm) -> PageTableEntry {
    self.leaf(leaf, withPermissionBits: permissionBits(permissions))
  }

  /// Whether the page was accessed since the accessed mark was last cleared.
  @inlinable public static func isAccessed(_ leaf: PageTableEntry) -> Bool { leaf.bits & accessedBits != 0 }

  /// The frame that a leaf of a level maps.
  @inlinable @inline(__always)
  static func frame(of leaf: PageTableEntry, level: Int) -> Page<PhysAddr> {
    Page(containing: address(in: leaf), size: PageSize(level: level))
  }

  /// Whether an entry can hold the address of the frame that `byte` lies in.
  @inlinable static func canHold(_ byte: UInt64) -> Bool { byte >> UInt64(physicalAddressBitCount) == 0 }
}

/// One entry of a page table: eight bytes whose meaning the format defines.
@frozen
public struct PageTableEntry: Hashable, Sendable, BitwiseCopyable {
  /// The entry as the processor reads it.
  public let bits: UInt64

  @inlinable public init(_ bits: UInt64) {
    self.bits = bits
  }

  /// The entry that maps nothing.
  @inlinable public static var empty: PageTableEntry { PageTableEntry(0) }
}

/// How the processor interprets an entry.
@frozen
public enum PageTableEntryKind: Sendable {
  /// Nothing: an access faults.
  case empty
  /// It refers to a table of the next lower level.
  case table
  /// It maps a page.
  case leaf
  /// Its bits are reserved: no operation here writes such an entry.
  case malformed
}

extension PageSize {
  /// The level whose entries map pages of this size.
  @inlinable var level: Int { (Int(rawValue) - 12) / 9 }

  /// The size of the pages that a level's entries map; traps above level 2, whose entries map none.
  @inlinable init(level: Int) {
    switch level {
    case 0: self = .size4KiB
    case 1: self = .size2MiB
    case 2: self = .size1GiB
    default: fail("a page's level must be 0 to 2, found", UInt64(truncatingIfNeeded: level))
    }
  }
}
