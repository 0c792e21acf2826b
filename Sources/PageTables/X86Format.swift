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

/// A format of four-level or five-level paging, with what differs between processors as parameters.
public protocol X86Format: PageTableFormat {
  /// Whether the processor encrypts memory page by page, and how an entry says so.
  static var memoryEncryption: X86MemoryEncryption { get }

  /// Whether IA32_EFER.NXE is set. Without it, bit 63 is reserved: every page is executable, and mapping one that is
  /// not throws ``MapError/unsupportedPermissions(_:)``.
  static var hasExecuteDisable: Bool { get }
}

/// x86-64 with four levels: 48-bit addresses (CR4.LA57 = 0), physical addresses of up to 52 bits, no encryption.
public enum X86FourLevel: X86Format {
  @inlinable public static var levelCount: Int { 4 }
}

/// x86-64 with five levels: 57-bit addresses (CR4.LA57 = 1), physical addresses of up to 52 bits, no encryption.
public enum X86FiveLevel: X86Format {
  @inlinable public static var levelCount: Int { 5 }
}

/// The bit of an entry that tells encrypted from shared memory. It lies at or above the format's
/// `physicalAddressBitCount`, which is smaller than MAXPHYADDR then.
@frozen
public enum X86MemoryEncryption: Sendable {
  /// No page is encrypted.
  case none
  /// AMD SME and SEV (APM volume 2, 7.10): this bit is set for an encrypted page. CPUID 8000_001F, EBX[5:0].
  case encryptedBit(UInt8)
  /// Intel TDX: this bit, 47 or 51, is set for a page that the host shares.
  case sharedBit(UInt8)

  /// The bit, 0 without encryption.
  @inlinable var mask: UInt64 { privateBits | sharedBits }

  /// What an entry for private memory has.
  @inlinable var privateBits: UInt64 {
    if case .encryptedBit(let bit) = self { 1 << UInt64(bit) } else { 0 }
  }

  /// What an entry for shared memory has.
  @inlinable var sharedBits: UInt64 {
    if case .sharedBit(let bit) = self { 1 << UInt64(bit) } else { 0 }
  }
}

/// The root index of an address whose upper bits must equal its highest translated bit. Adding half of the space makes
/// the two halves adjacent, and one compare then finds an address that lies in neither.
@inlinable @inline(__always)
func canonicalRootIndex(of address: VirtAddr, translatedBitCount: Int) -> UInt64 {
  let bitCount = UInt64(truncatingIfNeeded: translatedBitCount)
  return ((UInt64(address.raw) &+ 1 << (bitCount &- 1)) >> (bitCount &- 9)) ^ 256
}

/// The address whose upper bits equal the highest of its translated bits.
@inlinable @inline(__always)
func canonicalAddress(_ translatedBits: UInt64, translatedBitCount: Int) -> VirtAddr {
  let unused = 64 - translatedBitCount
  return VirtAddr(UInt(truncatingIfNeeded: (Int64(bitPattern: translatedBits) << unused) >> unused))
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
  /// PWT and PCD: the lower two bits of the index into the PAT.
  @inlinable static var writeThrough: UInt64 { 1 << 3 }
  @inlinable static var cacheDisable: UInt64 { 1 << 4 }
  /// A: the entry was used in a translation.
  @inlinable static var accessed: UInt64 { 1 << 5 }
  /// D: the page was written to.
  @inlinable static var dirty: UInt64 { 1 << 6 }
  /// PS: an entry of level 1 or 2 maps a page. At level 0 the same bit is PAT.
  @inlinable static var pageSize: UInt64 { 1 << 7 }
  /// G: a write to CR3 keeps the translation (needs CR4.PGE = 1).
  @inlinable static var global: UInt64 { 1 << 8 }
  /// PAT in a level 1 or 2 entry that maps a page.
  @inlinable static var largePageAttribute: UInt64 { 1 << 12 }
  /// XD: instruction fetch is forbidden (needs IA32_EFER.NXE = 1).
  @inlinable static var executeDisable: UInt64 { 1 << 63 }
}

extension X86Format {
  @inlinable public static var largestPage: PageSize { .size1GiB }
  @inlinable public static var translatedBitCount: Int { 12 + 9 * levelCount }
  /// MAXPHYADDR (CPUID 8000_0008, EAX[7:0]) is at most 52. A format with the processor's own value finds entries that
  /// the processor would refuse, and refuses frames that it cannot reach.
  @inlinable public static var physicalAddressBitCount: Int { 52 }
  @inlinable public static var memoryEncryption: X86MemoryEncryption { .none }
  @inlinable public static var hasExecuteDisable: Bool { true }
  /// The upper half of the address space: bit 47 or 56 set.
  @inlinable public static var kernelEntries: Range<Int> { 256..<512 }
  @inlinable public static var accessedBits: UInt64 { X86Bit.accessed }

  /// Each page is executable without ``hasExecuteDisable``.
  @inlinable public static func supports(_ permissions: MemPerm) -> Bool {
    hasExecuteDisable || permissions.contains(.execute)
  }

  @inlinable static var addressMask: UInt64 { ((1 << UInt64(physicalAddressBitCount)) - 1) & ~0xFFF }

  /// The bits that make an entry malformed: those of addresses that the processor does not have, and bit 63 without
  /// ``hasExecuteDisable``.
  @inlinable static var reservedBits: UInt64 {
    let address: UInt64 = 0x000F_FFFF_FFFF_F000 & ~addressMask & ~memoryEncryption.mask
    return hasExecuteDisable ? address : address | X86Bit.executeDisable
  }

  @inlinable public static func rootIndex(of address: VirtAddr) -> UInt64 {
    canonicalRootIndex(of: address, translatedBitCount: translatedBitCount)
  }

  @inlinable public static func address(_ translatedBits: UInt64) -> VirtAddr {
    canonicalAddress(translatedBits, translatedBitCount: translatedBitCount)
  }

  /// CR3. A tag other than 0 needs CR4.PCIDE = 1; with bit 63 set in addition, loading it keeps the tag's translations.
  @inlinable public static func rootRegister(_ root: PhysAddr, _ tag: AddressSpaceTag) -> UInt64 {
    root.raw | memoryEncryption.privateBits | UInt64(tag.number & 0xFFF)
  }

  /// PS is reserved (must be 0) from level 3 up, and so are bits 20 to 13 of a 2 MiB page and 29 to 13 of a 1 GiB page.
  @inlinable public static func kind(of entry: PageTableEntry, level: Int) -> PageTableEntryKind {
    if entry.bits & X86Bit.present == 0 { return .empty }
    if entry.bits & reservedBits != 0 { return .malformed }
    if level == 0 { return .leaf }
    if entry.bits & X86Bit.pageSize == 0 { return .table }
    if level > 2 { return .malformed }
    return entry.bits & addressMask & (slotByteCount(level) - 1) & ~0x1FFF == 0 ? .leaf : .malformed
  }

  @inlinable public static func isPresent(_ entry: PageTableEntry) -> Bool { entry.bits & X86Bit.present != 0 }

  @inlinable public static func isPlainTable(_ entry: PageTableEntry, level: Int) -> Bool {
    // The subtraction borrows from no other bit if and only if all three are set; it saves one instruction.
    let plain = X86Bit.present | X86Bit.writable | X86Bit.user
    return (entry.bits &- plain) & (plain | X86Bit.pageSize | X86Bit.executeDisable | reservedBits) == 0
  }

  @inlinable public static func tableEntry(_ table: PhysAddr) -> PageTableEntry {
    PageTableEntry(table.raw | memoryEncryption.privateBits | X86Bit.present | X86Bit.writable | X86Bit.user)
  }

  @inlinable public static func leafEntry(
    _ frame: PhysAddr, _ attributes: PageAttributes, level: Int
  ) -> PageTableEntry {
    let size = level == 0 ? 0 : X86Bit.pageSize
    let global = attributes.isGlobal ? X86Bit.global : 0
    let isShared = attributes.isShared || attributes.memoryType == .device
    let encryption = isShared ? memoryEncryption.sharedBits : memoryEncryption.privateBits
    let bits = permissionBits(attributes.permissions) | memoryTypeBits(attributes.memoryType, level: level)
    return PageTableEntry(frame.raw | X86Bit.present | size | global | encryption | bits)
  }

  @inlinable public static func address(in entry: PageTableEntry) -> PhysAddr { PhysAddr(entry.bits & addressMask) }

  @inlinable public static func addressBits(_ address: PhysAddr) -> UInt64 { address.raw }

  @inlinable public static func isGlobal(_ leaf: PageTableEntry) -> Bool { leaf.bits & X86Bit.global != 0 }

  @inlinable public static func isShared(_ leaf: PageTableEntry) -> Bool {
    memoryEncryption.mask != 0 && leaf.bits & memoryEncryption.mask == memoryEncryption.sharedBits
  }

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
    return self.leaf(PageTableEntry(bits), movedToPart: index, level: level)
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
