public import Addresses

/// The entry layout of one processor family's page tables. No other file depends on it.
///
/// A format is a type without values. What differs between two processors of a family (how wide physical addresses
/// are, which memory types there are) is a static property with a default. A kernel that needs another value declares
/// its own format, and computes there what it learns only at boot:
///
///     enum ThisProcessor: X86Format {
///       static var levelCount: Int { 4 }
///       static var physicalAddressBitCount: Int { 46 }
///     }
///
/// Levels count from the leaves: the entries of a level 0 table map pages of the smallest size, the granule; the root is
/// at level `levelCount - 1`. A table is as large as the granule, and an entry has eight bytes: with 4 KiB there are 512
/// entries, and levels 0, 1 and 2 map 4 KiB, 2 MiB and 1 GiB.
///
/// The walker relies on three equations, which the tests check for each format:
/// - `kind(of: tableEntry(t), level: n) == .table` and `address(in: tableEntry(t)) == t`, for n > 0;
/// - `kind(of: leafEntry(f, a, level: n), level: n) == .leaf`, `address(in:)` gives f back, and `permissions(of:)`
///   gives `granted(a.permissions)`;
/// - an entry whose low twelve bits are all zero is not present: a table that waits to be freed can thus hold the
///   address of the next such table.
public protocol PageTableFormat: Sendable {
  /// The smallest page, and the size of a table: 4 KiB unless the format says otherwise.
  static var granule: PageSize { get }

  /// How many tables a walk to a page of the smallest size reads: 3, 4 or 5.
  static var levelCount: Int { get }

  /// How many low bits of an address the tables translate.
  static var translatedBitCount: Int { get }

  /// The largest page that every processor with this format has. Some x86-64 processors lack 1 GiB pages; a
  /// ``PageTable`` can be restricted accordingly.
  static var largestPage: PageSize { get }

  /// The width in bits of the physical addresses that an entry can hold: at most the processor's.
  static var physicalAddressBitCount: Int { get }

  /// Whether the processor can enforce exactly these permissions, apart from a read permission that it grants as well.
  static func supports(_ permissions: MemPerm) -> Bool

  /// Whether the processor's entries can express this memory type.
  static func supports(_ memoryType: MemoryType) -> Bool

  /// The indices of the root entries that belong to the kernel and that all address spaces share; empty where the
  /// kernel has its own root.
  static var kernelEntries: Range<Int> { get }

  /// The index of the root entry for an address; ``rootEntryCount`` or more if and only if these tables cannot
  /// translate it, since its high bits are not as the processor requires.
  static func rootIndex(of address: VirtAddr) -> UInt64

  /// The address with these translated bits.
  static func address(_ translatedBits: UInt64) -> VirtAddr

  /// The value for CR3, TTBR0_EL1, TTBR1_EL1 or satp that selects a root and a tag. Only the tag's number counts.
  static func rootRegister(_ root: PhysAddr, _ tag: AddressSpaceTag) -> UInt64

  /// The kind of an entry of a level.
  static func kind(of entry: PageTableEntry, level: Int) -> PageTableEntryKind

  /// Whether the entry is present to the processor.
  static func isPresent(_ entry: PageTableEntry) -> Bool

  /// Whether the entry refers to a table and restricts nothing: a fast walk may follow it without further checks.
  static func isPlainTable(_ entry: PageTableEntry, level: Int) -> Bool

  /// The entry that refers to the table at `table` and restricts nothing below it.
  static func tableEntry(_ table: PhysAddr) -> PageTableEntry

  /// The entry of a level that maps the frame at `frame`.
  static func leafEntry(_ frame: PhysAddr, _ attributes: PageAttributes, level: Int) -> PageTableEntry

  /// The address of the frame or table that a present entry refers to. For a large page, bits below its size may be set
  /// that have another meaning.
  static func address(in entry: PageTableEntry) -> PhysAddr

  /// The bits with which an entry holds a physical address.
  static func addressBits(_ address: PhysAddr) -> UInt64

  /// The permissions of a leaf: `granted` of those it was made with.
  static func permissions(of leaf: PageTableEntry) -> MemPerm

  /// The permission bits of a leaf, all other bits 0.
  static func permissionBits(_ permissions: MemPerm) -> UInt64

  /// The memory type of a leaf of a level: the one it was made with, or one that the processor treats the same; nil
  /// for a type of another writer that ``MemoryType`` does not name.
  static func memoryType(of leaf: PageTableEntry, level: Int) -> MemoryType?

  /// Whether a leaf's translation is the same in every address space.
  static func isGlobal(_ leaf: PageTableEntry) -> Bool

  /// Whether a leaf's memory is shared; see ``PageAttributes/isShared``. False where the format has no encryption.
  static func isShared(_ leaf: PageTableEntry) -> Bool

  /// A leaf with other permissions. The frame, the marks and everything else stay.
  static func leaf(_ leaf: PageTableEntry, withPermissionBits bits: UInt64) -> PageTableEntry

  /// A leaf without write permission. Everything else stays, including the dirty mark.
  static func withoutWrite(_ leaf: PageTableEntry) -> PageTableEntry

  /// A leaf of the next lower level that maps part `index` of the parts of the frame that `leaf` maps.
  static func part(_ index: Int, of leaf: PageTableEntry, level: Int) -> PageTableEntry

  /// The leaf of the next higher level over the contiguous frames of a whole table. `first` is the first of their
  /// leaves, with the accessed and dirty bits that the caller has gathered.
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

/// One entry of a page table: eight bytes whose meaning the format defines.
@frozen
public struct PageTableEntry: Hashable, Sendable, BitwiseCopyable {
  /// The entry as the processor reads it.
  public let bits: UInt64

  /// The entry with these bits.
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
