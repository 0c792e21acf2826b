public import Addresses

// AArch64, stage 1 of EL1&0, 48-bit addresses. Arm Architecture Reference Manual (DDI 0487), section D8.2 "Translation
// process" for the granules, D8.3 "Translation table descriptor formats" and D8.4 "Memory access control"; D8.5 for the
// access flag and hardware management of dirty state.
//
//   63     62..61   60       59       58..52   51..48  47..12             11..2   1    0
//   NSTab  APTable  XNTable  PXNTab   ignored  res.    next table         ignored 1    valid     (table)
//
//   63..59   58..55    54   53   52    51   50..48  47..12          11  10  9..8  7..6     5   4..2   1       0
//   ignored  software  UXN  PXN  cont  DBM  res.    frame's address nG  AF  SH    AP[2:1]  NS  Attr   level0  valid (leaf)
// A leaf is a page (bit 1 set) at level 0 and a block (bit 1 clear) above: at levels 1 and 2 with the 4 KiB granule, at
// level 1 with the others. The manual counts levels the other way: its level 3 is level 0 here.
//
//   granule   entries   level 0   level 1   level 2   root
//    4 KiB        512     4 KiB     2 MiB     1 GiB   level 3
//   16 KiB      2,048    16 KiB    32 MiB             level 3, of which 2 entries translate
//   64 KiB      8,192    64 KiB   512 MiB             level 2, of which 64 entries translate
//
// AP[2] forbids writing. With DBM set the page is writable nevertheless, and a write clears AP[2] (done by the
// processor where it has FEAT_HAFDBS and TCR_EL1.HD is set, else by a fault handler). So a page is writable if DBM is
// set or AP[2] is clear. It is dirty if AP[2] is clear, or was clear when the page ceased to be writable, which bit 55
// records. Not every processor sets the marks, so a fresh page has them: AF, and AP[2] clear where writable.
//
// A user page is never executable for the kernel (PXN), as with SMEP on x86-64.

/// A format of one granule and one half of the address space. Both are parameters: `TCR_EL1` must agree.
public protocol AArch64Format: PageTableFormat {
  /// Whether TTBR1_EL1 points at the root, and bits 63 to 48 of an address are ones; otherwise TTBR0_EL1, and zeros.
  static var isUpper: Bool { get }
}

/// AArch64 with a 4 KiB granule: the lower 48-bit range, which TTBR0_EL1 points at.
public enum AArch64Lower: AArch64Format {
  @inlinable public static var isUpper: Bool { false }
}

/// AArch64 with a 4 KiB granule: the upper 48-bit range, which TTBR1_EL1 points at.
public enum AArch64Upper: AArch64Format {
  @inlinable public static var isUpper: Bool { true }
}

/// AArch64 with a 16 KiB granule: the lower 48-bit range.
public enum AArch64Lower16KiB: AArch64Format {
  @inlinable public static var granule: PageSize { .size16KiB }
  @inlinable public static var isUpper: Bool { false }
}

/// AArch64 with a 16 KiB granule: the upper 48-bit range.
public enum AArch64Upper16KiB: AArch64Format {
  @inlinable public static var granule: PageSize { .size16KiB }
  @inlinable public static var isUpper: Bool { true }
}

/// AArch64 with a 64 KiB granule: the lower 48-bit range.
public enum AArch64Lower64KiB: AArch64Format {
  @inlinable public static var granule: PageSize { .size64KiB }
  @inlinable public static var isUpper: Bool { false }
}

/// AArch64 with a 64 KiB granule: the upper 48-bit range.
public enum AArch64Upper64KiB: AArch64Format {
  @inlinable public static var granule: PageSize { .size64KiB }
  @inlinable public static var isUpper: Bool { true }
}

extension AArch64Format {
  @inlinable public static var translatedBitCount: Int { 48 }
  /// As many as 48 bits of address need: each table translates as many bits as index its entries.
  @inlinable public static var levelCount: Int { (48 - Int(granule.rawValue) + indexBitCount - 1) / indexBitCount }
  @inlinable public static var largestPage: PageSize {
    switch granule {
    case .size16KiB: .size32MiB
    case .size64KiB: .size512MiB
    default: .size1GiB
    }
  }
  /// The processor has ID_AA64MMFR0_EL1.PARange bits of physical address, at most 52; these entries hold 48.
  @inlinable public static var physicalAddressBitCount: Int { 48 }
  @inlinable static var addressMask: UInt64 { 0x0000_FFFF_FFFF_FFFF & ~(granule.byteCount - 1) }

  /// The value for MAIR_EL1: Normal write-back, Normal non-cacheable twice, Device-nGnRE. The index of an attribute is
  /// the raw value of its ``MemoryType``; indices 4 to 7 are the kernel's own.
  @inlinable public static var memoryAttributes: UInt64 { 0x0444_44FF }

  @inlinable public static func rootIndex(of address: VirtAddr) -> UInt64 {
    (UInt64(address.raw) &- (isUpper ? 0xFFFF << 48 : 0)) >> UInt64(truncatingIfNeeded: slotBitCount(rootLevel))
  }

  @inlinable public static func address(_ translatedBits: UInt64) -> VirtAddr {
    VirtAddr(UInt(truncatingIfNeeded: translatedBits | (isUpper ? 0xFFFF << 48 : 0)))
  }

  /// TTBR0_EL1 or TTBR1_EL1; TCR_EL1.A1 says which of the two registers' tags counts, and TCR_EL1.AS whether it has 8
  /// or 16 bits.
  @inlinable public static func rootRegister(_ root: PhysAddr, _ tag: AddressSpaceTag) -> UInt64 {
    root.raw | UInt64(tag.number) << 48
  }

  /// None: the kernel's range has its own root.
  @inlinable public static var kernelEntries: Range<Int> { 0..<0 }
  @inlinable public static var accessedBits: UInt64 { AArch64Bit.accessed }

  /// Bits 1 and 0 are 01 for a block, 11 for a table or page; 01 is reserved at level 0, and above the largest page.
  @inlinable public static func kind(of entry: PageTableEntry, level: Int) -> PageTableEntryKind {
    if entry.bits & AArch64Bit.valid == 0 { return .empty }
    let second = entry.bits & AArch64Bit.tableOrPage != 0
    if level == 0 { return second ? .leaf : .malformed }
    if second { return .table }
    return level <= largestPage.level ? .leaf : .malformed
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
    _ frame: PhysAddr, _ attributes: PageAttributes, level: Int
  ) -> PageTableEntry {
    let page = level == 0 ? AArch64Bit.tableOrPage : 0
    let fixed = AArch64Bit.valid | page | AArch64Bit.innerShareable | AArch64Bit.accessed
    let notGlobal = attributes.isGlobal ? 0 : AArch64Bit.notGlobal
    let type = UInt64(attributes.memoryType.rawValue) << AArch64Bit.attributeIndexShift
    return PageTableEntry(frame.raw | fixed | notGlobal | type | permissionBits(attributes.permissions))
  }

  @inlinable public static func address(in entry: PageTableEntry) -> PhysAddr { PhysAddr(entry.bits & addressMask) }

  @inlinable public static func addressBits(_ address: PhysAddr) -> UInt64 { address.raw }

  @inlinable public static func memoryType(of leaf: PageTableEntry, level: Int) -> MemoryType? {
    MemoryType(rawValue: UInt8(truncatingIfNeeded: leaf.bits >> AArch64Bit.attributeIndexShift) & 7)
  }

  @inlinable public static func isGlobal(_ leaf: PageTableEntry) -> Bool { leaf.bits & AArch64Bit.notGlobal == 0 }

  @inlinable public static func permissions(of leaf: PageTableEntry) -> MemPerm {
    var permissions = MemPerm.read
    if isWritable(leaf) { permissions = permissions | .write }
    let isUser = leaf.bits & AArch64Bit.user != 0
    if isUser { permissions = permissions | .user }
    let never = isUser ? AArch64Bit.userExecuteNever : AArch64Bit.kernelExecuteNever
    if leaf.bits & never == 0 { permissions = permissions | .execute }
    return permissions
  }

  /// A page that becomes writable counts as dirty; one that ceases to be writable remembers whether it was dirty. nG
  /// stays: a change to global would need break-before-make (D8.16.1).
  @inlinable public static func leaf(
    _ leaf: PageTableEntry, withPermissionBits permissionBits: UInt64
  ) -> PageTableEntry {
    var bits = leaf.bits & ~permissionMask | permissionBits
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
    return self.leaf(PageTableEntry(leaf.bits | page), movedToPart: index, level: level)
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
    AArch64Bit.user | AArch64Bit.readOnly | AArch64Bit.dirtyModifier | AArch64Bit.kernelExecuteNever
      | AArch64Bit.userExecuteNever | AArch64Bit.wasDirty
  }

  @inlinable public static func permissionBits(_ permissions: MemPerm) -> UInt64 {
    let isExecutable = permissions.contains(.execute)
    var bits = permissions.contains(.write) ? AArch64Bit.dirtyModifier : AArch64Bit.readOnly
    if permissions.contains(.user) {
      bits |= AArch64Bit.user | AArch64Bit.kernelExecuteNever
      if !isExecutable { bits |= AArch64Bit.userExecuteNever }
    } else {
      bits |= AArch64Bit.userExecuteNever
      if !isExecutable { bits |= AArch64Bit.kernelExecuteNever }
    }
    return bits
  }
}
