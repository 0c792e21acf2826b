import Addresses
import PageTables
import Testing

/// Memory types and other attributes, against entries written by hand from the manuals.
@Suite struct MemoryTypeTests {
  typealias Leaf = (type: MemoryType, level: Int, bits: UInt64)

  /// Intel SDM volume 3A, 13.12: PWT is bit 3, PCD bit 4, PAT bit 7 of a 4 KiB page and bit 12 of a larger one.
  @Test(
    arguments: [
      (MemoryType.normal, 0, 0x8000_0000_4000_0003), (.writeCombining, 0, 0x8000_0000_4000_0093),
      (.uncached, 0, 0x8000_0000_4000_0013), (.device, 0, 0x8000_0000_4000_001B),
      (.normal, 1, 0x8000_0000_4000_0083), (.writeCombining, 1, 0x8000_0000_4000_1093),
      (.uncached, 1, 0x8000_0000_4000_0093), (.device, 2, 0x8000_0000_4000_009B),
      (.writeCombining, 2, 0x8000_0000_4000_1093),
    ] as [Leaf]) func x86(leaf: Leaf) throws
  {
    try check(X86FourLevel.self, leaf)
    try check(X86FiveLevel.self, leaf)
  }

  /// The entry of IA32_PAT that PAT, PCD and PWT choose: 0x06 write-back, 0x01 write-combining, 0x07 UC−, 0x00 UC.
  @Test(
    arguments: [
      (MemoryType.normal, 0x06), (.writeCombining, 0x01), (.uncached, 0x07), (.device, 0x00),
    ] as [(MemoryType, UInt64)])
  func x86PageAttributeTable(type: MemoryType, encoding: UInt64) {
    for level in 0...2 {
      let bits = X86FourLevel.leafEntry(PhysAddr(1 << 30), PageAttributes(.read, type), level: level).bits
      let pat = bits >> (level == 0 ? 7 : 12) & 1
      let index = pat << 2 | (bits >> 4 & 1) << 1 | bits >> 3 & 1
      #expect(X86FourLevel.pageAttributeTable >> (index * 8) & 0xFF == encoding)
    }
    // Entries 0 to 3 keep the values that they have at reset.
    #expect(X86FourLevel.pageAttributeTable & 0xFFFF_FFFF == 0x0007_0406)
  }

  /// Arm DDI 0487, D8.3: AttrIndx is bits 4 to 2.
  @Test(
    arguments: [
      (MemoryType.normal, 0, 0x0068_0000_4000_0F03), (.writeCombining, 0, 0x0068_0000_4000_0F07),
      (.uncached, 0, 0x0068_0000_4000_0F0B), (.device, 0, 0x0068_0000_4000_0F0F),
      (.device, 1, 0x0068_0000_4000_0F0D), (.uncached, 2, 0x0068_0000_4000_0F09),
    ] as [Leaf]) func aarch64(leaf: Leaf) throws
  {
    try check(AArch64Lower.self, leaf)
    if leaf.level < 2 {
      try check(AArch64Lower16KiB.self, leaf)
      try check(AArch64Lower64KiB.self, leaf)
    }
  }

  /// D24.2 MAIR_EL1: 0xFF is Normal write-back, 0x44 Normal non-cacheable, 0x04 Device-nGnRE.
  @Test(
    arguments: [
      (MemoryType.normal, 0xFF), (.writeCombining, 0x44), (.uncached, 0x44), (.device, 0x04),
    ] as [(MemoryType, UInt64)])
  func aarch64MemoryAttributes(type: MemoryType, encoding: UInt64) {
    let bits = AArch64Upper.leafEntry(PhysAddr(1 << 30), PageAttributes(.read, type), level: 0).bits
    #expect(AArch64Upper.memoryAttributes >> ((bits >> 2 & 7) * 8) & 0xFF == encoding)
  }

  /// RISC-V, chapter "Svpbmt": PBMT is bits 62 and 61; 1 is NC, 2 is I/O.
  @Test(
    arguments: [
      (MemoryType.normal, 0, 0x1000_00C7), (.uncached, 0, 0x2000_0000_1000_00C7),
      (.device, 0, 0x4000_0000_1000_00C7), (.device, 2, 0x4000_0000_1000_00C7),
    ] as [Leaf]) func riscv(leaf: Leaf) throws
  {
    try check(Sv48MemoryTypes.self, leaf)
    try check(Sv57MemoryTypes.self, leaf)
  }

  /// Maps a page of a memory type, reads its entry from memory, and changes its permissions there and back.
  func check<Format: PageTableFormat>(_ format: Format.Type, _ leaf: Leaf) throws {
    var frames = TestFrames()
    var table = try PageTable<Format, OffsetPhysMapper>(mapper: frames.mapper, &frames)
    let size = Format.pageSize(level: leaf.level)
    let page = Page(start: VirtAddr(1 << 30), size: size)
    let frame = Page(start: PhysAddr(1 << 30), size: size)
    try table.map(page, to: frame, PageAttributes(.kernelData, leaf.type), &frames).ignore()
    #expect(FormatBitsTests().path(to: page.start, in: table, frames).last == leaf.bits)
    #expect(try table.translate(page.start).memoryType == leaf.type)
    try table.updatePermissions(page, .userCode).ignore()
    #expect(try table.translate(page.start).memoryType == leaf.type)
    try table.updatePermissions(page, .kernelData).ignore()
    #expect(FormatBitsTests().path(to: page.start, in: table, frames).last == leaf.bits)
  }

  @Test func aProcessorWithoutSvpbmtCannotMakeMemoryUncached() throws {
    var frames = TestFrames()
    var table = try PageTable<Sv39, OffsetPhysMapper>(mapper: frames.mapper, &frames)
    let page = Page(start: VirtAddr(0x40_0000))
    for type in [MemoryType.uncached, .writeCombining] {
      #expect(throws: MapError.unsupportedMemoryType(type)) {
        try table.map(page, to: Page(start: .null), PageAttributes(.kernelData, type), &frames).ignore()
      }
      #expect(throws: RangeError(MapError.unsupportedMemoryType(type), at: page)) {
        try table.map(page.range, to: .null, PageAttributes(.kernelData, type), &frames).ignore()
      }
    }
    let text = "this processor's page tables cannot make memory uncached; map it as normal memory or as a device"
    #expect(MapError.unsupportedMemoryType(.uncached).description == text)
    // Registers need no type of their own there: the platform knows that they are registers.
    try table.map(page, to: Page(start: .null), PageAttributes(.kernelData, .device), &frames).ignore()
    #expect(FormatBitsTests().path(to: page.start, in: table, frames).last == 0xC7)
  }

  @Test func typesOfOthersHaveNoName() {
    // x86-64: PWT alone is write-through. AArch64: index 4 is the kernel's own.
    #expect(X86FourLevel.memoryType(of: PageTableEntry(0x100B), level: 0) == nil)
    #expect(AArch64Lower.memoryType(of: PageTableEntry(0x1413), level: 0) == nil)
    // RISC-V: PBMT 3 is reserved, any PBMT without Svpbmt or in a table, and bits 60 to 54.
    #expect(Sv48MemoryTypes.kind(of: PageTableEntry(0x6000_0000_0000_0443), level: 0) == .malformed)
    #expect(Sv48.kind(of: PageTableEntry(0x2000_0000_0000_0443), level: 0) == .malformed)
    #expect(Sv48MemoryTypes.kind(of: PageTableEntry(0x2000_0000_0000_0401), level: 1) == .malformed)
    #expect(Sv48.kind(of: PageTableEntry(0x0040_0000_0000_0443), level: 0) == .malformed)
    #expect(Sv48MemoryTypes.kind(of: PageTableEntry(0x4000_0000_0000_0443), level: 0) == .leaf)
  }
}
