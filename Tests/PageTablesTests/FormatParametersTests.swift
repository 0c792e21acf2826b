import Addresses
import PageTables
import Testing

/// What a kernel says about its processor: widths, encryption, execute-disable; and which roots and tags it loads.
@Suite struct FormatParametersTests {
  static let page = Page(start: VirtAddr(0x40_0000))

  /// The entry of the page mapped with some attributes, and the entry of the table that refers to it.
  func entries<Format: PageTableFormat>(
    _ format: Format.Type, _ attributes: PageAttributes
  ) throws -> (table: UInt64, leaf: UInt64, found: Translation<Format>) {
    var frames = TestFrames()
    var table = try PageTable<Format, OffsetPhysMapper>(mapper: frames.mapper, &frames)
    try table.map(Self.page, to: Page(start: PhysAddr(0x20_0000)), attributes, &frames).ignore()
    let path = FormatBitsTests().path(to: Self.page.start, in: table, frames)
    return (path[path.count - 2], try #require(path.last), try table.translate(Self.page.start))
  }

  @Test func framesBeyondThePhysicalWidthAreRefused() throws {
    var frames = TestFrames()
    var table = try PageTable<X86NarrowAddresses, OffsetPhysMapper>(mapper: frames.mapper, &frames)
    #expect(throws: MapError.misalignedFrame) {
      try table.map(Self.page, to: Page(start: PhysAddr(1 << 46)), .kernelData, &frames).ignore()
    }
    try table.map(Self.page, to: Page(start: PhysAddr(1 << 46 - 4096)), .kernelData, &frames).ignore()
    // SDM 4.5: bits 51 to MAXPHYADDR of an entry are reserved.
    #expect(X86NarrowAddresses.kind(of: PageTableEntry(1 << 46 | 3), level: 0) == .malformed)
    #expect(X86NarrowAddresses.kind(of: PageTableEntry(1 << 51 | 7), level: 1) == .malformed)
    #expect(!X86NarrowAddresses.isPlainTable(PageTableEntry(1 << 46 | 7), level: 1))
    #expect(X86FourLevel.kind(of: PageTableEntry(1 << 51 | 3), level: 0) == .leaf)
  }

  @Test func anEncryptedPageHasItsBit() throws {
    // SME: bit 47 in tables and pages, not in shared or device pages.
    let plain = try entries(X86Encrypted.self, PageAttributes(.userData))
    #expect(plain.table & ~0x7F_FFFF_F000 == 1 << 47 | 7)
    #expect(plain.leaf == 0x8000_8000_0020_0007)
    #expect(plain.found.physical.raw == 0x20_0000 && !plain.found.isShared)
    let shared = try entries(X86Encrypted.self, PageAttributes(.userData, isShared: true))
    #expect(shared.leaf == 0x8000_0000_0020_0007 && shared.found.isShared)
    let device = try entries(X86Encrypted.self, PageAttributes(.userData, .device))
    #expect(device.leaf == 0x8000_0000_0020_001F && device.found.isShared)
    #expect(X86Encrypted.rootRegister(PhysAddr(0x1000), .untagged) == 0x8000_0000_1000)
  }

  @Test func aSharedPageOfATrustedDomainHasItsBit() throws {
    let plain = try entries(X86Trusted.self, PageAttributes(.userData))
    #expect(plain.table & 1 << 51 == 0 && plain.leaf == 0x8000_0000_0020_0007 && !plain.found.isShared)
    let shared = try entries(X86Trusted.self, PageAttributes(.userData, isShared: true))
    #expect(shared.leaf == 0x8008_0000_0020_0007 && shared.found.isShared)
    #expect(shared.found.physical.raw == 0x20_0000)
    #expect(try entries(X86Trusted.self, PageAttributes(.userData, .device)).found.isShared)
    #expect(X86Trusted.rootRegister(PhysAddr(0x1000), .untagged) == 0x1000)
  }

  @Test func withoutExecuteDisableAPageMustBeExecutable() throws {
    typealias Table = PageTable<X86WithoutExecuteDisable, OffsetPhysMapper>
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, &frames)
    var tlb = NoTLB()
    let refusal = MapError.unsupportedPermissions(.userData)
    #expect(throws: refusal) {
      try table.map(Self.page, to: Page(start: .null), .userData, &frames).ignore()
    }
    #expect(throws: RangeError(refusal, at: Self.page)) {
      try table.map(Self.page.range, to: .null, .userData, &frames).ignore()
    }
    try table.map(Self.page, to: Page(start: .null), .userData | .execute, &frames).ignore()
    #expect(throws: refusal) { try table.updatePermissions(Self.page, .userData).ignore() }
    #expect(throws: RangeError(refusal, at: Self.page)) {
      try table.protect(Self.page.range, .userData, &frames, &tlb).ignore()
    }
    #expect(FormatBitsTests().path(to: Self.page.start, in: table, frames).last == 7)
    #expect(X86WithoutExecuteDisable.kind(of: PageTableEntry(1 << 63 | 3), level: 0) == .malformed)
    let text = "this processor cannot enforce the permissions rw-u: allow execution too, or set IA32_EFER.NXE"
    #expect(refusal.description == text)
  }

  @Test func anAddressSpaceStatesWhatTheProcessorLacks() throws {
    var frames = TestFrames()
    var tlb = CountingTLB()
    let range = AddrRange(start: VirtAddr(0x40_0000), byteCount: 1 << 20)
    var space = try AddressSpace<X86WithoutExecuteDisable, OffsetPhysMapper>(
      managing: range, mapper: frames.mapper, &frames)
    #expect(throws: AddressSpaceError.unsupportedPermissions(.userData)) {
      try space.addRegion(range, .userData, &frames)
    }
    try space.addRegion(range, .userCode, &frames)
    #expect(throws: AddressSpaceError.unsupportedPermissions(.userReadOnly)) {
      try space.protect(range, .userReadOnly, &frames, &tlb)
    }
    var other = try AddressSpace<Sv39, OffsetPhysMapper>(managing: range, mapper: frames.mapper, &frames)
    let before = frames.usedCount
    #expect(throws: AddressSpaceError.unsupportedMemoryType(.uncached)) {
      let device = AddrRange(start: PhysAddr(0xFEC0_0000), byteCount: 4096)
      try other.addRegion(device, .userData, as: .uncached, at: range.start, &frames)
    }
    #expect(other.regionCount == 0 && frames.usedCount == before)
    space.deallocate(&frames)
    other.deallocate(&frames)
    #expect(frames.usedCount == 0)
  }

  /// A size of another granule limits the pages too.
  @Test func theLargestPageIsNotExceeded() throws {
    var frames = TestFrames()
    let range = AddrRange(start: VirtAddr(512 << 20), byteCount: 512 << 20)
    var table = try PageTable<AArch64Lower64KiB, OffsetPhysMapper>(
      mapper: frames.mapper, largestPage: .size2MiB, &frames)
    try table.map(range, to: .null, .userData, &frames).ignore()
    #expect(try table.translate(range.start).size == .size64KiB)
    var tlb = NoTLB()
    #expect(try table.join(range, &tlb) == 0)
    #expect(try table.translate(range.start).size == .size64KiB)
    for size in [PageSize.size4KiB, .size16KiB, .size2MiB, .size512MiB] {
      let page = Page(start: VirtAddr(2 << 30), size: size)
      #expect(throws: MapError.unsupportedPageSize(size)) {
        try table.map(page, to: Page(start: .null, size: size), .userData, &frames).ignore()
      }
    }
  }

  @Test func globalPages() throws {
    // G is bit 8 on x86-64 and bit 5 on RISC-V; nG is bit 11 on AArch64.
    let attributes = PageAttributes(.kernelData, isGlobal: true)
    #expect(try entries(X86FourLevel.self, attributes).leaf == 0x8000_0000_0020_0103)
    #expect(try entries(AArch64Lower.self, attributes).leaf == 0x0068_0000_0020_0703)
    #expect(try entries(Sv48.self, attributes).leaf == 0x8_00E7)
    #expect(try entries(X86FourLevel.self, attributes).found.isGlobal)
    #expect(try entries(AArch64Lower.self, attributes).found.isGlobal)
    #expect(try entries(Sv48.self, attributes).found.isGlobal)
    // Not even a page of the kernel's is global unasked: address spaces keep inaccessible pages in that form.
    #expect(try !entries(X86FourLevel.self, PageAttributes(.kernelData)).found.isGlobal)
    #expect(try !entries(AArch64Lower.self, PageAttributes(.kernelData)).found.isGlobal)
    #expect(try !entries(Sv48.self, PageAttributes(.kernelData)).found.isGlobal)
  }

  @Test func rootRegisters() {
    let (root, tag) = (PhysAddr(0x1234_5000), AddressSpaceTag(0x0ABC))
    // CR3: PCID in bits 11 to 0. TTBR: ASID in bits 63 to 48. satp: MODE 63 to 60, ASID 59 to 44, PPN.
    #expect(X86FourLevel.rootRegister(root, tag) == 0x1234_5ABC)
    #expect(AArch64Lower.rootRegister(root, tag) == 0x0ABC_0000_1234_5000)
    #expect(Sv39.rootRegister(root, tag) == 0x80AB_C000_0001_2345)
    #expect(Sv48.rootRegister(root, tag) == 0x90AB_C000_0001_2345)
    #expect(Sv57.rootRegister(root, tag) == 0xA0AB_C000_0001_2345)
  }
}
