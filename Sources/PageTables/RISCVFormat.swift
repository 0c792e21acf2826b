public import Addresses

// RISC-V Sv39 and Sv48. The RISC-V Instruction Set Manual, volume II (privileged architecture), "Sv39: Page-Based
// 39-bit Virtual-Memory System", "Sv48 …" and "Virtual Address Translation Process" (sections 4.4, 4.5 and 4.3.2 of
// version 1.12).
//
//   63  62..61  60..54    53..10                  9..8  7  6  5  4  3  2  1  0
//   N   PBMT    reserved  frame's number (PPN)    RSW   D  A  G  U  X  W  R  V
//
// An entry whose R, W and X are all clear refers to a table; its D, A and U must also be clear. W without R is
// reserved. A large page whose PPN is not aligned to its size faults.
//
// A processor need not set A and D: it may fault instead (Svade). A fresh page therefore has A set, and D if it is
// writable; a page that becomes writable gets D.
//
// User mode may use only pages with U. Supervisor mode may read and write those only while sstatus.SUM is set, and
// never executes them.

/// The common part of Sv39 and Sv48: every bit of an entry.
public protocol RISCVFormat: PageTableFormat {}

/// RISC-V with three levels: 39-bit addresses (satp.MODE = 8).
public enum Sv39: RISCVFormat {
  @inlinable public static var levelCount: Int { 3 }
  @inlinable public static func covers(_ address: VirtAddr) -> Bool { address.isCanonical(.bits39) }
  @inlinable public static func rootIndex(of address: VirtAddr) -> UInt64 {
    canonicalRootIndex(of: address, translatedBitCount: 39)
  }
  @inlinable public static func address(_ translatedBits: UInt64) -> VirtAddr {
    VirtAddr(UInt(truncatingIfNeeded: translatedBits)).canonicalized(.bits39)
  }
}

/// RISC-V with four levels: 48-bit addresses (satp.MODE = 9).
public enum Sv48: RISCVFormat {
  @inlinable public static var levelCount: Int { 4 }
  @inlinable public static func covers(_ address: VirtAddr) -> Bool { address.isCanonical(.bits48) }
  @inlinable public static func rootIndex(of address: VirtAddr) -> UInt64 {
    canonicalRootIndex(of: address, translatedBitCount: 48)
  }
  @inlinable public static func address(_ translatedBits: UInt64) -> VirtAddr {
    VirtAddr(UInt(truncatingIfNeeded: translatedBits)).canonicalized(.bits48)
  }
}

/// The bits of an entry.
@usableFromInline
enum RISCVBit {
  @inlinable static var valid: UInt64 { 1 << 0 }
  @inlinable static var read: UInt64 { 1 << 1 }
  @inlinable static var write: UInt64 { 1 << 2 }
  @inlinable static var execute: UInt64 { 1 << 3 }
  @inlinable static var user: UInt64 { 1 << 4 }
  @inlinable static var accessed: UInt64 { 1 << 6 }
  @inlinable static var dirty: UInt64 { 1 << 7 }
  /// Bits 60 to 54: a page fault if any is set.
  @inlinable static var highReserved: UInt64 { 0x7F << 54 }
}

extension RISCVFormat {
  @inlinable public static var largestPage: PageSize { .size1GiB }
  /// 44 bits of frame number and 12 of offset.
  @inlinable public static var physicalAddressBitCount: Int { 56 }
  /// The upper half of the address space: bit 38 or 47 set.
  @inlinable public static var kernelEntries: Range<Int> { 256..<512 }
  @inlinable public static var accessedBits: UInt64 { RISCVBit.accessed }

  /// A level 3 leaf, a 512 GiB page, counts as malformed: ``PageSize`` has no such size.
  @inlinable public static func kind(of entry: PageTableEntry, level: Int) -> PageTableEntryKind {
    if entry.bits & RISCVBit.valid == 0 { return .empty }
    let access = entry.bits & (RISCVBit.read | RISCVBit.write | RISCVBit.execute)
    if access == 0 {
      let reserved = RISCVBit.dirty | RISCVBit.accessed | RISCVBit.user | RISCVBit.highReserved | napot
      return level > 0 && entry.bits & reserved == 0 ? .table : .malformed
    }
    if level > 2 || access & (RISCVBit.read | RISCVBit.write) == RISCVBit.write { return .malformed }
    if entry.bits & RISCVBit.highReserved != 0 || !isRunLegal(entry, level: level) { return .malformed }
    return address(in: entry).raw & (slotByteCount(level) - 1) == 0 ? .leaf : .malformed
  }

  @inlinable public static func isPresent(_ entry: PageTableEntry) -> Bool { entry.bits & RISCVBit.valid != 0 }

  @inlinable public static func isPlainTable(_ entry: PageTableEntry, level: Int) -> Bool {
    let others = RISCVBit.read | RISCVBit.write | RISCVBit.execute | RISCVBit.user | RISCVBit.accessed | RISCVBit.dirty
    return entry.bits & (RISCVBit.valid | others | RISCVBit.highReserved | napot) == RISCVBit.valid
  }

  @inlinable public static func tableEntry(_ table: PhysAddr) -> PageTableEntry {
    PageTableEntry(table.raw >> 2 | RISCVBit.valid)
  }

  @inlinable public static func leafEntry(
    _ frame: PhysAddr, _ permissions: MemPerm, level: Int
  ) -> PageTableEntry {
    let dirty = permissions.contains(.write) ? RISCVBit.dirty : 0
    return PageTableEntry(
      frame.raw >> 2 | RISCVBit.valid | RISCVBit.accessed | dirty | permissionBits(permissions))
  }

  @inlinable public static func address(in entry: PageTableEntry) -> PhysAddr {
    PhysAddr((entry.bits & 0x003F_FFFF_FFFF_FC00) << 2)
  }

  /// R, W, X and U have the order of ``MemPerm``, one bit higher.
  @inlinable public static func permissions(of leaf: PageTableEntry) -> MemPerm {
    MemPerm(rawValue: UInt8(truncatingIfNeeded: leaf.bits >> 1) & 0xF)
  }

  @inlinable public static func leaf(_ leaf: PageTableEntry, withPermissionBits bits: UInt64) -> PageTableEntry {
    // D is five bits above W.
    let becomesWritable = bits & ~leaf.bits & RISCVBit.write
    return PageTableEntry(leaf.bits & ~0x1E | bits | becomesWritable << 5)
  }

  @inlinable public static func withoutWrite(_ leaf: PageTableEntry) -> PageTableEntry {
    PageTableEntry(leaf.bits & ~RISCVBit.write)
  }

  @inlinable public static func part(_ index: Int, of leaf: PageTableEntry, level: Int) -> PageTableEntry {
    let offset = UInt64(truncatingIfNeeded: index) << (10 + 9 * UInt64(truncatingIfNeeded: level - 1))
    return PageTableEntry(leaf.bits &+ offset)
  }

  @inlinable public static func whole(_ first: PageTableEntry, level: Int) -> PageTableEntry { first }

  /// Tables restrict nothing.
  @inlinable public static func restricting(_ leaf: PageTableEntry, by table: PageTableEntry) -> PageTableEntry { leaf }

  /// Write permission implies read; execute alone is possible.
  @inlinable public static func granted(_ permissions: MemPerm) -> MemPerm {
    permissions.contains(.write) ? permissions | .read : permissions
  }

  @inlinable public static func isDirty(_ leaf: PageTableEntry) -> Bool { leaf.bits & RISCVBit.dirty != 0 }

  @inlinable public static func leaf(_ leaf: PageTableEntry, markedDirty: Bool) -> PageTableEntry {
    PageTableEntry(markedDirty ? leaf.bits | RISCVBit.dirty : leaf.bits & ~RISCVBit.dirty)
  }

  @inlinable public static func permissionBits(_ permissions: MemPerm) -> UInt64 {
    UInt64(granted(permissions).rawValue & 0xF) << 1
  }
}
