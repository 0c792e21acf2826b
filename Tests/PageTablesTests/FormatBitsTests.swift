import Addresses
import PageTables
import Testing

// Every bit of every format, against entries written by hand from the manuals. The expected numbers are literals on
// purpose: the code under test computes none of them.

/// An entry written by hand.
struct HandWrittenLeaf: Sendable {
  let permissions: MemPerm
  let level: Int
  let frame: UInt64
  let bits: UInt64

  init(_ permissions: MemPerm, _ level: Int, _ frame: UInt64, _ bits: UInt64) {
    self.permissions = permissions
    self.level = level
    self.frame = frame
    self.bits = bits
  }
}

/// Intel SDM volume 3A, tables 4-16 (1 GiB), 4-18 (2 MiB) and 4-20 (4 KiB): P 0, R/W 1, U/S 2, A 5, D 6, PS 7, XD 63.
let x86Leaves = [
  HandWrittenLeaf(.kernelReadOnly, 0, 0x0000_1000, 0x8000_0000_0000_1001),
  HandWrittenLeaf(.kernelData, 0, 0x0000_1000, 0x8000_0000_0000_1003),
  HandWrittenLeaf(.kernelCode, 0, 0x0000_1000, 0x0000_0000_0000_1001),
  HandWrittenLeaf(.userReadOnly, 0, 0x0000_1000, 0x8000_0000_0000_1005),
  HandWrittenLeaf(.userData, 0, 0x0000_1000, 0x8000_0000_0000_1007),
  HandWrittenLeaf(.userCode, 0, 0x0000_1000, 0x0000_0000_0000_1005),
  HandWrittenLeaf(.userData | .execute, 0, 0x0000_1000, 0x0000_0000_0000_1007),
  HandWrittenLeaf(.kernelData, 1, 0x0020_0000, 0x8000_0000_0020_0083),
  HandWrittenLeaf(.userCode, 1, 0x0020_0000, 0x0000_0000_0020_0085),
  HandWrittenLeaf(.userData, 2, 0x4000_0000, 0x8000_0000_4000_0087),
  HandWrittenLeaf(.userCode, 0, 0x000F_FFFF_FFFF_F000, 0x000F_FFFF_FFFF_F005),
]

/// Arm DDI 0487, D8.3: valid 0, page 1, AttrIndx 4:2, AP[1] 6, AP[2] 7, SH 9:8, AF 10, nG 11, DBM 51, PXN 53, UXN 54.
let aarch64Leaves = [
  // UXN, PXN, nG, AF, SH, AP[2], page
  HandWrittenLeaf(.kernelReadOnly, 0, 0x0000_1000, 0x0060_0000_0000_1F83),
  // UXN, PXN, DBM, nG, AF, SH
  HandWrittenLeaf(.kernelData, 0, 0x0000_1000, 0x0068_0000_0000_1F03),
  // UXN, nG
  HandWrittenLeaf(.kernelCode, 0, 0x0000_1000, 0x0040_0000_0000_1F83),
  // UXN, PXN, nG, AP[1], AP[2]
  HandWrittenLeaf(.userReadOnly, 0, 0x0000_1000, 0x0060_0000_0000_1FC3),
  // UXN, PXN, DBM, nG, AP[1]
  HandWrittenLeaf(.userData, 0, 0x0000_1000, 0x0068_0000_0000_1F43),
  // PXN, nG, AP[1], AP[2]
  HandWrittenLeaf(.userCode, 0, 0x0000_1000, 0x0020_0000_0000_1FC3),
  // blocks: bit 1 clear
  HandWrittenLeaf(.kernelData, 1, 0x0020_0000, 0x0068_0000_0020_0F01),
  HandWrittenLeaf(.userData, 2, 0x4000_0000, 0x0068_0000_4000_0F41),
  HandWrittenLeaf(.userCode, 0, 0x0000_FFFF_FFFF_F000, 0x0020_FFFF_FFFF_FFC3),
]

/// RISC-V privileged architecture, figure "Sv39 page table entry": V 0, R 1, W 2, X 3, U 4, G 5, A 6, D 7, PPN 53:10.
let riscvLeaves = [
  HandWrittenLeaf(.kernelReadOnly, 0, 0x0000_1000, 0x443),
  HandWrittenLeaf(.kernelData, 0, 0x0000_1000, 0x4C7),
  HandWrittenLeaf(.kernelCode, 0, 0x0000_1000, 0x44B),
  HandWrittenLeaf(.userReadOnly, 0, 0x0000_1000, 0x453),
  HandWrittenLeaf(.userData, 0, 0x0000_1000, 0x4D7),
  HandWrittenLeaf(.userCode, 0, 0x0000_1000, 0x45B),
  HandWrittenLeaf(.execute, 0, 0x0000_1000, 0x449),
  HandWrittenLeaf(.kernelData, 1, 0x0020_0000, 0x800C7),
  HandWrittenLeaf(.userData, 2, 0x4000_0000, 0x1000_00D7),
  HandWrittenLeaf(.userCode, 0, 0x00FF_FFFF_FFFF_F000, 0x003F_FFFF_FFFF_FC5B),
]

@Suite struct FormatBitsTests {
  @Test(arguments: x86Leaves) func x86(leaf: HandWrittenLeaf) throws {
    try check(X86FourLevel.self, leaf, page: 0x0000_7FFF_C000_0000)
    try check(X86FiveLevel.self, leaf, page: 0x00FF_FFFF_C000_0000)
  }

  @Test(arguments: aarch64Leaves) func aarch64(leaf: HandWrittenLeaf) throws {
    try check(AArch64Lower.self, leaf, page: 0x0000_FFFF_C000_0000)
    try check(AArch64Upper.self, leaf, page: 0xFFFF_0000_4000_0000)
  }

  /// DDI 0487, D8.2.8 and D8.2.9: the same bits at other page sizes, above a frame's lowest 14 or 16 bits.
  @Test(arguments: [
    HandWrittenLeaf(.kernelReadOnly, 0, 0x0000_4000, 0x0060_0000_0000_4F83),
    HandWrittenLeaf(.userCode, 0, 0x0000_FFFF_FFFF_C000, 0x0020_FFFF_FFFF_CFC3),
    HandWrittenLeaf(.kernelData, 1, 0x0200_0000, 0x0068_0000_0200_0F01),
    HandWrittenLeaf(.userData, 1, 0x0000_FFFF_FE00_0000, 0x0068_FFFF_FE00_0F41),
  ]) func aarch64Granule16KiB(leaf: HandWrittenLeaf) throws {
    try check(AArch64Lower16KiB.self, leaf, page: 0x0000_FFFF_C000_0000)
    try check(AArch64Upper16KiB.self, leaf, page: 0xFFFF_7FFF_C000_0000)
  }

  @Test(arguments: [
    HandWrittenLeaf(.kernelReadOnly, 0, 0x0001_0000, 0x0060_0000_0001_0F83),
    HandWrittenLeaf(.userCode, 0, 0x0000_FFFF_FFFF_0000, 0x0020_FFFF_FFFF_0FC3),
    HandWrittenLeaf(.kernelData, 1, 0x2000_0000, 0x0068_0000_2000_0F01),
    HandWrittenLeaf(.userData, 1, 0x0000_FFFF_E000_0000, 0x0068_FFFF_E000_0F41),
  ]) func aarch64Granule64KiB(leaf: HandWrittenLeaf) throws {
    try check(AArch64Lower64KiB.self, leaf, page: 0x0000_FFFF_C000_0000)
    try check(AArch64Upper64KiB.self, leaf, page: 0xFFFF_7FFF_C000_0000)
  }

  @Test(arguments: riscvLeaves) func riscv(leaf: HandWrittenLeaf) throws {
    try check(Sv39.self, leaf, page: 0x0000_003F_C000_0000)
    try check(Sv48.self, leaf, page: 0x0000_7FFF_C000_0000)
    try check(Sv57.self, leaf, page: 0x00FF_FFFF_C000_0000)
  }

  /// Maps a page and reads its entry from memory.
  func check<Format: PageTableFormat>(_ format: Format.Type, _ leaf: HandWrittenLeaf, page: UInt) throws {
    var frames = TestFrames()
    var table = try PageTable<Format, OffsetPhysMapper>(mapper: frames.mapper, &frames)
    let size = Format.pageSize(level: leaf.level)
    let address = VirtAddr(page)
    try table.map(
      Page(start: address, size: size), to: Page(start: PhysAddr(leaf.frame), size: size), leaf.permissions, &frames
    ).ignore()
    let path = self.path(to: address, in: table, frames)
    #expect(path.count == Format.levelCount - leaf.level)
    #expect(path.last == leaf.bits, "\(hex(path.last ?? 0)) for \(leaf)")
    let found = try table.translate(address)
    #expect(found.permissions == leaf.permissions)
    #expect(found.physical.raw == leaf.frame)
    // Changing every permission and changing it back yields the same bits, except the marks that a format must set.
    try table.updatePermissions(Page(start: address, size: size), .userData).ignore()
    #expect(try table.translate(address).permissions == .userData)
    try table.updatePermissions(Page(start: address, size: size), leaf.permissions).ignore()
    #expect(try table.translate(address).permissions == leaf.permissions)
    #expect(try table.translate(address).physical.raw == leaf.frame)
  }

  /// The entries on the path to an address, read from memory by an independent walk.
  func path<Format: PageTableFormat>(
    to address: VirtAddr, in table: borrowing PageTable<Format, OffsetPhysMapper>, _ frames: borrowing TestFrames
  ) -> [UInt64] {
    var path: [UInt64] = []
    var next = table.root
    for level in (0..<Format.levelCount).reversed() {
      // A table of 2^n bytes has 2^(n-3) entries.
      let (tableBits, indexBits) = (UInt64(Format.granule.rawValue), UInt64(Format.granule.rawValue) - 3)
      let translated = UInt64(address.raw) & (1 << UInt64(Format.translatedBitCount) - 1)
      let index = translated >> (tableBits + indexBits * UInt64(level)) & (1 << indexBits - 1)
      let entry = frames.word(next + index * 8)
      path.append(entry)
      guard level > 0, Format.kind(of: PageTableEntry(entry), level: level) == .table else { break }
      next = Format.address(in: PageTableEntry(entry))
    }
    return path
  }

  @Test func tableEntries() {
    // SDM table 4-15: P, R/W, U/S. DDI 0487 D8.3.1: 0b11. RISC-V: V alone, PPN from bit 10.
    #expect(X86FourLevel.tableEntry(PhysAddr(0x1234_5000)).bits == 0x1234_5007)
    #expect(X86FiveLevel.tableEntry(PhysAddr(0x1234_5000)).bits == 0x1234_5007)
    #expect(AArch64Lower.tableEntry(PhysAddr(0x1234_5000)).bits == 0x1234_5003)
    #expect(AArch64Upper.tableEntry(PhysAddr(0x1234_5000)).bits == 0x1234_5003)
    #expect(Sv39.tableEntry(PhysAddr(0x1234_5000)).bits == 0x48D_1401)
    #expect(Sv48.tableEntry(PhysAddr(0x1234_5000)).bits == 0x48D_1401)
    #expect(Sv57.tableEntry(PhysAddr(0x1234_5000)).bits == 0x48D_1401)
    #expect(AArch64Lower16KiB.tableEntry(PhysAddr(0x1234_4000)).bits == 0x1234_4003)
    #expect(AArch64Lower64KiB.tableEntry(PhysAddr(0x1234_0000)).bits == 0x1234_0003)
  }

  @Test func reservedEntriesAreMalformed() {
    // x86-64: PS in a PML4 entry; bit 13 of a 2 MiB page.
    #expect(X86FourLevel.kind(of: PageTableEntry(0x1083), level: 3) == .malformed)
    #expect(X86FourLevel.kind(of: PageTableEntry(0x2083), level: 1) == .malformed)
    #expect(X86FourLevel.kind(of: PageTableEntry(0x0020_1083), level: 1) == .leaf)
    // AArch64: 0b01 at the last level and at the first.
    #expect(AArch64Lower.kind(of: PageTableEntry(0x1001), level: 0) == .malformed)
    #expect(AArch64Lower.kind(of: PageTableEntry(0x1001), level: 3) == .malformed)
    // Blocks of level 2 need a granule of 4 KiB (or addresses of 52 bits).
    #expect(AArch64Lower16KiB.kind(of: PageTableEntry(0x0001), level: 2) == .malformed)
    #expect(AArch64Lower64KiB.kind(of: PageTableEntry(0x0001), level: 2) == .malformed)
    // RISC-V: W without R; a table at the last level; D in a table; a misaligned large page; 512 GiB.
    #expect(Sv39.kind(of: PageTableEntry(0x405), level: 0) == .malformed)
    #expect(Sv39.kind(of: PageTableEntry(0x401), level: 0) == .malformed)
    #expect(Sv39.kind(of: PageTableEntry(0x481), level: 1) == .malformed)
    #expect(Sv39.kind(of: PageTableEntry(0x443), level: 1) == .malformed)
    #expect(Sv48.kind(of: PageTableEntry(0x043), level: 3) == .malformed)
  }

  @Test func marks() {
    // x86-64: A is bit 5, D bit 6. AArch64: AF bit 10; dirty is AP[2] (bit 7) clear. RISC-V: A bit 6, D bit 7.
    #expect(X86FourLevel.isAccessed(PageTableEntry(0x1023)) && !X86FourLevel.isAccessed(PageTableEntry(0x1003)))
    #expect(X86FourLevel.isDirty(PageTableEntry(0x1043)) && !X86FourLevel.isDirty(PageTableEntry(0x1003)))
    #expect(AArch64Lower.isAccessed(PageTableEntry(0x1403)) && !AArch64Lower.isAccessed(PageTableEntry(0x1003)))
    #expect(AArch64Lower.isDirty(PageTableEntry(0x1003)) && !AArch64Lower.isDirty(PageTableEntry(0x1083)))
    #expect(Sv39.isAccessed(PageTableEntry(0x443)) && !Sv39.isAccessed(PageTableEntry(0x403)))
    #expect(Sv39.isDirty(PageTableEntry(0x4C7)) && !Sv39.isDirty(PageTableEntry(0x447)))
  }

  @Test func tablesAboveRestrict() {
    // x86-64: R/W and U/S clear, XD set. AArch64: APTable 62:61, XNTable 60, PXNTable 59.
    #expect(X86FourLevel.permissions(of: X86FourLevel.restricting(.init(0x1007), by: .init(0x2001))) == .kernelCode)
    #expect(
      X86FourLevel.permissions(of: X86FourLevel.restricting(.init(0x1007), by: .init(0x8000_0000_0000_2007)))
        == .userData)
    let userAll = PageTableEntry(0x0028_0000_0000_1F43)
    #expect(AArch64Lower.permissions(of: userAll) == .userData | .execute)
    let readOnly = AArch64Lower.restricting(userAll, by: PageTableEntry(1 << 62 | 3))
    #expect(AArch64Lower.permissions(of: readOnly) == .userCode)
    let noExecute = AArch64Lower.restricting(userAll, by: PageTableEntry(1 << 60 | 3))
    #expect(AArch64Lower.permissions(of: noExecute) == .userData)
    let noUser = AArch64Lower.restricting(userAll, by: PageTableEntry(1 << 61 | 3))
    #expect(AArch64Lower.permissions(of: noUser) == .kernelData)
  }

  @Test func largePageAttributesMoveWhenAPageSplits() {
    // x86-64: PAT is bit 12 of a 2 MiB page, bit 7 of a 4 KiB page.
    let large = PageTableEntry(0x8000_0000_0020_1083)
    #expect(X86FourLevel.part(3, of: large, level: 1).bits == 0x8000_0000_0020_3083)
    #expect(X86FourLevel.whole(PageTableEntry(0x8000_0000_0020_0083), level: 1) == large)
  }
}

func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
