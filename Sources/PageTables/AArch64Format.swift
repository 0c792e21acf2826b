public import Addresses

// AArch64, stage 1 of EL1&0, 4 KiB granule, 48-bit addresses. Arm Architecture Reference Manual (DDI 0487), section
// D8.3 "Translation table descriptor formats" and D8.4 "Memory access control"; D8.5 for the access flag and
// hardware management of dirty state.
//
//   63     62..61   60       59       58..52   51..48  47..12             11..2   1    0
//   NSTab  APTable  XNTable  PXNTab   ignored  res.    next table         ignored 1    valid     (table)
//
//   63..59   58..55    54   53   52    51   50..48  47..12          11  10  9..8  7..6     5   4..2   1       0
//   ignored  software  UXN  PXN  cont  DBM  res.    frame's address nG  AF  SH    AP[2:1]  NS  Attr   level0  valid (leaf)
// A leaf is a page (bit 1 set) at level 0 and a block (bit 1 clear) at levels 1 and 2. The manual counts levels the
// other way: its level 3 is level 0 here.
//
// AP[2] forbids writing. With DBM set the page is writable nevertheless, and a write clears AP[2] (done by the
// processor where it has FEAT_HAFDBS and TCR_EL1.HD is set, else by a fault handler). So a page is writable if DBM is
// set or AP[2] is clear. It is dirty if AP[2] is clear, or was clear when the page ceased to be writable, which bit 55
// records. Not every processor sets the marks, so a fresh page has them: AF, and AP[2] clear where writable.
//
// A user page is never executable for the kernel (PXN), as with SMEP on x86-64. Memory attributes are index 0 of
// MAIR_EL1 (make that normal, write-back), inner shareable.

/// The common part of both registers' tables: every bit of an entry.
public protocol AArch64Format: PageTableFormat {}

/// AArch64 with a 4 KiB granule: the lower 48-bit range, which TTBR0_EL1 points at.
public enum AArch64Lower: AArch64Format {
  @inlinable public static func covers(_ address: VirtAddr) -> Bool { UInt64(address.raw) >> 48 == 0 }
  @inlinable public static func rootIndex(of address: VirtAddr) -> UInt64 { UInt64(address.raw) >> 39 }
  @inlinable public static func address(_ translatedBits: UInt64) -> VirtAddr {
    VirtAddr(UInt(truncatingIfNeeded: translatedBits))
  }
}

/// AArch64 with a 4 KiB granule: the upper 48-bit range, which TTBR1_EL1 points at.
public enum AArch64Upper: AArch64Format {
  @inlinable public static func covers(_ address: VirtAddr) -> Bool { UInt64(address.raw) >> 48 == 0xFFFF }
  @inlinable public static func rootIndex(of address: VirtAddr) -> UInt64 {
    (UInt64(address.raw) &- 0xFFFF << 48) >> 39
  }
  @inlinable public static func address(_ translatedBits: UInt64) -> VirtAddr {
    VirtAddr(UInt(truncatingIfNeeded: translatedBits | 0xFFFF << 48))
  }
}

/// The bits of a descriptor.
@usableFromInline
enum AArch64Bit {
  @inlinable static var valid: UInt64 { 1 << 0 }
  /// Set in tables and in level 0 pages.
  @inlinable static var tableOrPage: UInt64 { 1 << 1 }
  /// AP[1]: EL0 may access the page.
  @inlinable static var user: UInt64 { 1 << 6 }
  /// AP[2]: writing is forbidden, or not yet done.
  @inlinable static var readOnly: UInt64 { 1 << 7 }
  /// SH = 0b11.
  @inlinable static var innerShareable: UInt64 { 3 << 8 }
  /// AF: the page was accessed.
  @inlinable static var accessed: UInt64 { 1 << 10 }
  /// nG: the translation belongs to one address space.
  @inlinable static var notGlobal: UInt64 { 1 << 11 }
  /// DBM: a page with AP[2] set is writable, and clean.
  @inlinable static var dirtyModifier: UInt64 { 1 << 51 }
  /// PXN: EL1 must not fetch instructions.
  @inlinable static var kernelExecuteNever: UInt64 { 1 << 53 }
  /// UXN: EL0 must not fetch instructions.
  @inlinable static var userExecuteNever: UInt64 { 1 << 54 }
  /// A software bit: the page was dirty when it ceased to be writable.
  @inlinable static var wasDirty: UInt64 { 1 << 55 }
  /// PXNTable, XNTable, APTable[0], APTable[1]: the permissions that a table withholds from everything below it.
  @inlinable static var tableKernelExecuteNever: UInt64 { 1 << 59 }
  @inlinable static var tableUserExecuteNever: UInt64 { 1 << 60 }
  @inlinable static var tableNoUser: UInt64 { 1 << 61 }
  @inlinable static var tableReadOnly: UInt64 { 1 << 62 }
}

extension AArch64Format {
  @inlinable public static var levelCount: Int { 4 }
  @inlinable public static var largestPage: PageSize { .size1GiB }
  @inlinable public static var physicalAddressBitCount: Int { 48 }
  @inlinable static var addressMask: UInt64 { 0x0000_FFFF_FFFF_F000 }
  /// None: the kernel's range has its own root.
  @inlinable public static var kernelEntries: Range<Int> { 0..<0 }
  @inlinable public static var accessedBits: UInt64 { AArch64Bit.accessed }

  /// Bits 1 and 0 are 01 for a block, 11 for a table or page; 01 is reserved at level 0 and at level 3.
  @inlinable public static func kind(of entry: PageTableEntry, level: Int) -> PageTableEntryKind {
    if entry.bits & AArch64Bit.valid == 0 { return .empty }
    let second = entry.bits & AArch64Bit.tableOrPage != 0
    if level == 0 { return second ? .leaf : .malformed }
    if second { return .table }
    return level <= 2 ? .leaf : .malformed
  }

  @inlinable public static func isPresent(_ entry: PageTableEntry) -> Bool { entry.bits & AArch64Bit.valid != 0 }

  @inlinable public static func isPlainTable(_ entry: PageTableEntry, level: Int) -> Bool {
    let restricting =
      AArch64Bit.tableKernelExecuteNever | AArch64Bit.tableUserExecuteNever | AArch64Bit.tableNoUser
      | AArch64Bit.tableReadOnly
    return entry.bits & (3 | restricting) == 3
  }

  @inlinable public static func tableEntry(_ table: PhysAddr) -> PageTableEntry { PageTableEntry(table.raw | 3) }

  @inlinable public static func leafEntry(
    _ frame: PhysAddr, _ permissions: MemPerm, level: Int
  ) -> PageTableEntry {
    let page = level == 0 ? AArch64Bit.tableOrPage : 0
    let fixed = AArch64Bit.valid | page | AArch64Bit.innerShareable | AArch64Bit.accessed
    return PageTableEntry(frame.raw | fixed | permissionBits(permissions))
  }

  @inlinable public static func address(in entry: PageTableEntry) -> PhysAddr { PhysAddr(entry.bits & addressMask) }

  @inlinable public static func permissions(of leaf: PageTableEntry) -> MemPerm {
    var permissions = MemPerm.read
    if isWritable(leaf) { permissions = permissions | .write }
    let isUser = leaf.bits & AArch64Bit.user != 0
    if isUser { permissions = permissions | .user }
    let never = isUser ? AArch64Bit.userExecuteNever : AArch64Bit.kernelExecuteNever
    if leaf.bits & never == 0 { permissions = permissions | .execute }
    return permissions
  }

  /// A page that becomes writable counts as dirty; one that ceases to be writable remembers whether it was dirty. A page
  /// that belonged to one address space still does: making it global would need break-before-make (D8.16.1).
  @inlinable public static func leaf(
    _ leaf: PageTableEntry, withPermissionBits permissionBits: UInt64
  ) -> PageTableEntry {
    var bits = leaf.bits & ~permissionMask | permissionBits | leaf.bits & AArch64Bit.notGlobal
    if permissionBits & AArch64Bit.dirtyModifier != 0 {
      if isWritable(leaf) && !isDirty(leaf) { bits |= AArch64Bit.readOnly }
    } else if isDirty(leaf) {
      bits |= AArch64Bit.wasDirty
    }
    return PageTableEntry(bits)
  }

  @inlinable public static func withoutWrite(_ leaf: PageTableEntry) -> PageTableEntry {
    let wasDirty = leaf.bits & AArch64Bit.readOnly == 0 ? AArch64Bit.wasDirty : 0
    return PageTableEntry(leaf.bits & ~AArch64Bit.dirtyModifier | AArch64Bit.readOnly | wasDirty)
  }

  @inlinable public static func part(_ index: Int, of leaf: PageTableEntry, level: Int) -> PageTableEntry {
    let page = level == 1 ? AArch64Bit.tableOrPage : 0
    let offset = UInt64(truncatingIfNeeded: index) << (12 + 9 * UInt64(truncatingIfNeeded: level - 1))
    return PageTableEntry((leaf.bits | page) &+ offset)
  }

  @inlinable public static func whole(_ first: PageTableEntry, level: Int) -> PageTableEntry {
    PageTableEntry(first.bits & ~AArch64Bit.tableOrPage)
  }

  @inlinable public static func restricting(_ leaf: PageTableEntry, by table: PageTableEntry) -> PageTableEntry {
    var bits = leaf.bits
    if table.bits & AArch64Bit.tableReadOnly != 0 {
      bits = bits & ~AArch64Bit.dirtyModifier | AArch64Bit.readOnly
    }
    if table.bits & AArch64Bit.tableNoUser != 0 { bits &= ~AArch64Bit.user }
    if table.bits & AArch64Bit.tableUserExecuteNever != 0 { bits |= AArch64Bit.userExecuteNever }
    if table.bits & AArch64Bit.tableKernelExecuteNever != 0 { bits |= AArch64Bit.kernelExecuteNever }
    return PageTableEntry(bits)
  }

  /// EL1 can read every valid page; EL0 can read every page that it may access at all.
  @inlinable public static func granted(_ permissions: MemPerm) -> MemPerm { permissions | .read }

  @inlinable public static func isDirty(_ leaf: PageTableEntry) -> Bool {
    leaf.bits & AArch64Bit.readOnly == 0 || leaf.bits & AArch64Bit.wasDirty != 0
  }

  @inlinable public static func leaf(_ leaf: PageTableEntry, markedDirty: Bool) -> PageTableEntry {
    let isWritable = isWritable(leaf)
    if markedDirty {
      return PageTableEntry(isWritable ? leaf.bits & ~AArch64Bit.readOnly : leaf.bits | AArch64Bit.wasDirty)
    }
    let clean = leaf.bits & ~AArch64Bit.wasDirty | AArch64Bit.readOnly
    return PageTableEntry(isWritable ? clean | AArch64Bit.dirtyModifier : clean)
  }

  @inlinable static func isWritable(_ leaf: PageTableEntry) -> Bool {
    leaf.bits & AArch64Bit.readOnly == 0 || leaf.bits & AArch64Bit.dirtyModifier != 0
  }

  @inlinable static var permissionMask: UInt64 {
    AArch64Bit.user | AArch64Bit.readOnly | AArch64Bit.notGlobal | AArch64Bit.dirtyModifier
      | AArch64Bit.kernelExecuteNever | AArch64Bit.userExecuteNever | AArch64Bit.wasDirty
  }

  @inlinable public static func permissionBits(_ permissions: MemPerm) -> UInt64 {
    let isExecutable = permissions.contains(.execute)
    var bits = permissions.contains(.write) ? AArch64Bit.dirtyModifier : AArch64Bit.readOnly
    if permissions.contains(.user) {
      bits |= AArch64Bit.user | AArch64Bit.notGlobal | AArch64Bit.kernelExecuteNever
      if !isExecutable { bits |= AArch64Bit.userExecuteNever }
    } else {
      bits |= AArch64Bit.userExecuteNever
      if !isExecutable { bits |= AArch64Bit.kernelExecuteNever }
    }
    return bits
  }
}
