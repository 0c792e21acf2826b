public import Addresses

// RISC-V Sv39, Sv48 and Sv57. The RISC-V Instruction Set Manual, volume II (privileged architecture), "Sv39: Page-Based
// 39-bit Virtual-Memory System", "Sv48 …", "Sv57 …" and "Virtual Address Translation Process" (sections 4.4, 4.5, 4.6
// and 4.3.2 of version 1.12); chapter 6, "Svpbmt", for page-based memory types.
//
//   63  62..61  60..54    53..10                  9..8  7  6  5  4  3  2  1  0
//   N   PBMT    reserved  frame's number (PPN)    RSW   D  A  G  U  X  W  R  V
//
// An entry whose R, W and X are all clear refers to a table; its D, A, U and PBMT must also be clear. W without R is
// reserved. A large page whose PPN is not aligned to its size faults.
//
// A processor need not set A and D: it may fault instead (Svade). A fresh page therefore has A set, and D if it is
// writable; a page that becomes writable gets D.
//
// User mode may use only pages with U. Supervisor mode may read and write those only while sstatus.SUM is set, and
// never executes them.

/// A format of three, four or five levels, with what differs between processors as a parameter.
public protocol RISCVFormat: PageTableFormat {
  /// Whether the processor has Svpbmt (and menvcfg.PBMTE is set). Without it, the platform alone decides how an address
  /// is cached: entries do not distinguish memory from devices, and mapping a page write-combining or uncached throws
  /// ``MapError/unsupportedMemoryType(_:)``.
  static var hasMemoryTypes: Bool { get }
}

/// RISC-V with three levels: 39-bit addresses (satp.MODE = 8), without Svpbmt.
public enum Sv39: RISCVFormat {
  @inlinable public static var levelCount: Int { 3 }
}

/// RISC-V with four levels: 48-bit addresses (satp.MODE = 9), without Svpbmt.
public enum Sv48: RISCVFormat {
  @inlinable public static var levelCount: Int { 4 }
}

/// RISC-V with five levels: 57-bit addresses (satp.MODE = 10), without Svpbmt.
public enum Sv57: RISCVFormat {
  @inlinable public static var levelCount: Int { 5 }
}

/// The bits of an entry.
@usableFromInline
enum RISCVBit {
  @inlinable static var valid: UInt64 { 1 << 0 }
  @inlinable static var read: UInt64 { 1 << 1 }
  @inlinable static var write: UInt64 { 1 << 2 }
  @inlinable static var execute: UInt64 { 1 << 3 }
  @inlinable static var user: UInt64 { 1 << 4 }
  /// G: the translation is the same in every address space.
  @inlinable static var global: UInt64 { 1 << 5 }
  @inlinable static var accessed: UInt64 { 1 << 6 }
  @inlinable static var dirty: UInt64 { 1 << 7 }
  /// Bits 60 to 54: for later standards.
  @inlinable static var reserved: UInt64 { 0x7F << 54 }
  /// PBMT, bits 62 and 61: 1 for NC, 2 for I/O; 3 is reserved.
  @inlinable static var memoryTypeShift: UInt64 { 61 }
  @inlinable static var memoryType: UInt64 { 3 << memoryTypeShift }
}

extension RISCVFormat {
  @inlinable public static var hasMemoryTypes: Bool { false }
  @inlinable public static var largestPage: PageSize { .size1GiB }
  @inlinable public static var translatedBitCount: Int { 12 + 9 * levelCount }
  /// 44 bits of frame number and 12 of offset.
  @inlinable public static var physicalAddressBitCount: Int { 56 }
  /// The upper half of the address space: bit 38, 47 or 56 set.
  @inlinable public static var kernelEntries: Range<Int> { 256..<512 }
  @inlinable public static var accessedBits: UInt64 { RISCVBit.accessed }

  @inlinable public static func supports(_ memoryType: MemoryType) -> Bool {
    hasMemoryTypes || memoryType == .normal || memoryType == .device
  }

  @inlinable public static func rootIndex(of address: VirtAddr) -> UInt64 {
    canonicalRootIndex(of: address, translatedBitCount: translatedBitCount)
  }

  @inlinable public static func address(_ translatedBits: UInt64) -> VirtAddr {
    canonicalAddress(translatedBits, translatedBitCount: translatedBitCount)
  }

  /// satp. The processor has fewer than 16 bits of tag if it does not keep all that are written.
  @inlinable public static func rootRegister(_ root: PhysAddr, _ tag: AddressSpaceTag) -> UInt64 {
    UInt64(truncatingIfNeeded: levelCount + 5) << 60 | UInt64(tag.number) << 44 | root.raw >> 12
  }

  /// A level 3 or 4 leaf, a page of 512 GiB or 256 TiB, counts as malformed: ``PageSize`` has no such size.
  @inlinable public static func kind(of entry: PageTableEntry, level: Int) -> PageTableEntryKind {
    if entry.bits & RISCVBit.valid == 0 { return .empty }
    if entry.bits & RISCVBit.reserved != 0 { return .malformed }
    let memoryType = entry.bits & RISCVBit.memoryType
    let access = entry.bits & (RISCVBit.read | RISCVBit.write | RISCVBit.execute)
    if access == 0 {
      let reserved = RISCVBit.dirty | RISCVBit.accessed | RISCVBit.user | RISCVBit.memoryType | napot
      return level > 0 && entry.bits & reserved == 0 ? .table : .malformed
    }
    if hasMemoryTypes ? memoryType == RISCVBit.memoryType : memoryType != 0 { return .malformed }
    if level > 2 || access & (RISCVBit.read | RISCVBit.write) == RISCVBit.write { return .malformed }
    if !isRunLegal(entry, level: level) { return .malformed }
    return address(in: entry).raw & (slotByteCount(level) - 1) == 0 ? .leaf : .malformed
  }

  @inlinable public static func isPresent(_ entry: PageTableEntry) -> Bool { entry.bits & RISCVBit.valid != 0 }

  @inlinable public static func isPlainTable(_ entry: PageTableEntry, level: Int) -> Bool {
    let access = RISCVBit.read | RISCVBit.write | RISCVBit.execute | RISCVBit.user
    let others = access | RISCVBit.accessed | RISCVBit.dirty | RISCVBit.reserved | RISCVBit.memoryType | napot
    return entry.bits & (RISCVBit.valid | others) == RISCVBit.valid
  }

  @inlinable public static func tableEntry(_ table: PhysAddr) -> PageTableEntry {
    PageTableEntry(table.raw >> 2 | RISCVBit.valid)
  }

  @inlinable public static func leafEntry(
    _ frame: PhysAddr, _ attributes: PageAttributes, level: Int
  ) -> PageTableEntry {
    let dirty = attributes.permissions.contains(.write) ? RISCVBit.dirty : 0
    let global = attributes.isGlobal ? RISCVBit.global : 0
    let fixed = RISCVBit.valid | RISCVBit.accessed | dirty | global
    let bits = permissionBits(attributes.permissions) | memoryTypeBits(attributes.memoryType)
    return PageTableEntry(addressBits(frame) | fixed | bits)
  }

  @inlinable public static func address(in entry: PageTableEntry) -> PhysAddr {
    PhysAddr((entry.bits & 0x003F_FFFF_FFFF_FC00) << 2)
  }

  @inlinable public static func addressBits(_ address: PhysAddr) -> UInt64 { address.raw >> 2 }

  @inlinable static func memoryTypeBits(_ memoryType: MemoryType) -> UInt64 {
    if !hasMemoryTypes { return 0 }
    let value: UInt64 =
      switch memoryType {
      case .normal: 0
      case .writeCombining, .uncached: 1
      case .device: 2
      }
    return value << RISCVBit.memoryTypeShift
  }

  /// NC counts as uncached. Without Svpbmt, an entry of a device is the same as one of memory.
  @inlinable public static func memoryType(of leaf: PageTableEntry, level: Int) -> MemoryType? {
    switch leaf.bits >> RISCVBit.memoryTypeShift & 3 {
    case 0: .normal
    case 1: .uncached
    case 2: .device
    default: nil
    }
  }

  @inlinable public static func isGlobal(_ leaf: PageTableEntry) -> Bool { leaf.bits & RISCVBit.global != 0 }

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
    self.leaf(leaf, movedToPart: index, level: level)
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
