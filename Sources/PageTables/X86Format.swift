public import Addresses

// x86-64, four-level and five-level paging. Intel SDM volume 3A, chapter 4 ("Paging"), section 4.5 (4-level paging
// and 5-level paging), tables 4-14 to 4-20; AMD APM volume 2, section 5.3.
//
//   63  62..59  58..52   51..12            11..9    8  7       6  5  4    3    2    1    0
//   XD  prot.   ignored  frame's address   ignored  G  PS/PAT  D  A  PCD  PWT  U/S  R/W  P
//
// A page can be written to, or used by user mode, only if every entry on the path to it allows that. It can be executed
// only if no entry on the path forbids it (SDM 4.6). Tables are therefore linked without restrictions, and leaves
// decide.

/// The common part of four-level and five-level paging: every bit of an entry.
public protocol X86Format: PageTableFormat {}

/// x86-64 with four levels: 48-bit addresses (CR4.LA57 = 0).
public enum X86FourLevel: X86Format {
  @inlinable public static var levelCount: Int { 4 }
  @inlinable public static func covers(_ address: VirtAddr) -> Bool { address.isCanonical(.bits48) }
  @inlinable public static func rootIndex(of address: VirtAddr) -> UInt64 {
    canonicalRootIndex(of: address, translatedBitCount: 48)
  }
  @inlinable public static func address(_ translatedBits: UInt64) -> VirtAddr {
    VirtAddr(UInt(truncatingIfNeeded: translatedBits)).canonicalized(.bits48)
  }
}

/// x86-64 with five levels: 57-bit addresses (CR4.LA57 = 1).
public enum X86FiveLevel: X86Format {
  @inlinable public static var levelCount: Int { 5 }
  @inlinable public static func covers(_ address: VirtAddr) -> Bool { address.isCanonical(.bits57) }
  @inlinable public static func rootIndex(of address: VirtAddr) -> UInt64 {
    canonicalRootIndex(of: address, translatedBitCount: 57)
  }
  @inlinable public static func address(_ translatedBits: UInt64) -> VirtAddr {
    VirtAddr(UInt(truncatingIfNeeded: translatedBits)).canonicalized(.bits57)
  }
}

/// The root index of an address whose upper bits must equal its highest translated bit. Adding half of the space makes
/// the two halves adjacent, and one compare then finds an address that lies in neither.
@inlinable @inline(__always)
func canonicalRootIndex(of address: VirtAddr, translatedBitCount: UInt64) -> UInt64 {
  ((UInt64(address.raw) &+ 1 << (translatedBitCount - 1)) >> (translatedBitCount - 9)) ^ 256
}

/// The bits of an entry (SDM tables 4-15 to 4-20).
@usableFromInline
enum X86Bit {
  /// P: the entry is present.
  @inlinable static var present: UInt64 { 1 << 0 }
  /// R/W: writing is allowed.
  @inlinable static var writable: UInt64 { 1 << 1 }
  /// U/S: user mode is allowed.
  @inlinable static var user: UInt64 { 1 << 2 }
  /// A: the entry was used in a translation.
  @inlinable static var accessed: UInt64 { 1 << 5 }
  /// D: the page was written to.
  @inlinable static var dirty: UInt64 { 1 << 6 }
  /// PS: an entry of level 1 or 2 maps a page. At level 0 the same bit is PAT.
  @inlinable static var pageSize: UInt64 { 1 << 7 }
  /// PAT in a level 1 or 2 entry that maps a page.
  @inlinable static var largePageAttribute: UInt64 { 1 << 12 }
  /// XD: instruction fetch is forbidden (needs IA32_EFER.NXE = 1).
  @inlinable static var executeDisable: UInt64 { 1 << 63 }
}

extension X86Format {
  @inlinable public static var largestPage: PageSize { .size1GiB }
  /// MAXPHYADDR is at most 52.
  @inlinable public static var physicalAddressBitCount: Int { 52 }
  @inlinable static var addressMask: UInt64 { 0x000F_FFFF_FFFF_F000 }
  /// The upper half of the address space: bit 47 or 56 set.
  @inlinable public static var kernelEntries: Range<Int> { 256..<512 }
  @inlinable public static var accessedBits: UInt64 { X86Bit.accessed }

  /// PS is reserved (must be 0) from level 3 up, and so are bits 20 to 13 of a 2 MiB page and 29 to 13 of a 1 GiB page.
  @inlinable public static func kind(of entry: PageTableEntry, level: Int) -> PageTableEntryKind {
    if entry.bits & X86Bit.present == 0 { return .empty }
    if level == 0 { return .leaf }
    if entry.bits & X86Bit.pageSize == 0 { return .table }
    if level > 2 { return .malformed }
    return entry.bits & (slotByteCount(level) - 1) & ~0x1FFF == 0 ? .leaf : .malformed
  }

  @inlinable public static func isPresent(_ entry: PageTableEntry) -> Bool { entry.bits & X86Bit.present != 0 }

  @inlinable public static func isPlainTable(_ entry: PageTableEntry, level: Int) -> Bool {
    // The subtraction borrows from no other bit if and only if all three are set; it saves one instruction.
    let plain = X86Bit.present | X86Bit.writable | X86Bit.user
    return (entry.bits &- plain) & (plain | X86Bit.pageSize | X86Bit.executeDisable) == 0
  }

  @inlinable public static func tableEntry(_ table: PhysAddr) -> PageTableEntry {
    PageTableEntry(table.raw | X86Bit.present | X86Bit.writable | X86Bit.user)
  }

  @inlinable public static func leafEntry(
    _ frame: PhysAddr, _ permissions: MemPerm, level: Int
  ) -> PageTableEntry {
    let size = level == 0 ? 0 : X86Bit.pageSize
    return PageTableEntry(frame.raw | X86Bit.present | size | permissionBits(permissions))
  }

  @inlinable public static func address(in entry: PageTableEntry) -> PhysAddr { PhysAddr(entry.bits & addressMask) }

  @inlinable public static func permissions(of leaf: PageTableEntry) -> MemPerm {
    let write = leaf.bits & X86Bit.writable
    let user = (leaf.bits & X86Bit.user) << 1
    let execute = (~leaf.bits >> 63) << 2
    return MemPerm(rawValue: UInt8(truncatingIfNeeded: 1 | write | user | execute))
  }

  @inlinable public static func leaf(_ leaf: PageTableEntry, withPermissionBits bits: UInt64) -> PageTableEntry {
    PageTableEntry(leaf.bits ^ ((leaf.bits ^ bits) & permissionMask))
  }

  @inlinable public static func withoutWrite(_ leaf: PageTableEntry) -> PageTableEntry {
    PageTableEntry(leaf.bits & ~X86Bit.writable)
  }

  /// PAT is bit 12 of a large page, and bit 7, where a large page has PS, of a small one.
  @inlinable public static func part(_ index: Int, of leaf: PageTableEntry, level: Int) -> PageTableEntry {
    var bits = leaf.bits
    if level == 1 {
      let pat = bits & X86Bit.largePageAttribute != 0 ? X86Bit.pageSize : 0
      bits = bits & ~(X86Bit.pageSize | X86Bit.largePageAttribute) | pat
    }
    let offset = UInt64(truncatingIfNeeded: index) << (12 + 9 * UInt64(truncatingIfNeeded: level - 1))
    return PageTableEntry(bits &+ offset)
  }

  @inlinable public static func whole(_ first: PageTableEntry, level: Int) -> PageTableEntry {
    let pat = level == 1 && first.bits & X86Bit.pageSize != 0 ? X86Bit.largePageAttribute : 0
    return PageTableEntry(first.bits | X86Bit.pageSize | pat)
  }

  @inlinable public static func restricting(_ leaf: PageTableEntry, by table: PageTableEntry) -> PageTableEntry {
    let allowing = X86Bit.writable | X86Bit.user
    return PageTableEntry(leaf.bits & (table.bits | ~allowing) | table.bits & X86Bit.executeDisable)
  }

  /// Every present page can be read.
  @inlinable public static func granted(_ permissions: MemPerm) -> MemPerm { permissions | .read }

  @inlinable public static func isDirty(_ leaf: PageTableEntry) -> Bool { leaf.bits & X86Bit.dirty != 0 }

  @inlinable public static func leaf(_ leaf: PageTableEntry, markedDirty: Bool) -> PageTableEntry {
    PageTableEntry(markedDirty ? leaf.bits | X86Bit.dirty : leaf.bits & ~X86Bit.dirty)
  }

  @inlinable static var permissionMask: UInt64 { X86Bit.writable | X86Bit.user | X86Bit.executeDisable }

  @inlinable public static func permissionBits(_ permissions: MemPerm) -> UInt64 {
    var bits: UInt64 = permissions.contains(.execute) ? 0 : X86Bit.executeDisable
    if permissions.contains(.write) { bits |= X86Bit.writable }
    if permissions.contains(.user) { bits |= X86Bit.user }
    return bits
  }
}
