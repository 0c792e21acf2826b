import Addresses
import PageTables
import Testing

/// No change of permissions, size or frame loses a memory type, a protection key, G or a bit of the kernel's own.
@Suite struct KeptAttributesTests {
  static let registers = AddrRange(start: PhysAddr(0xFEC0_0000), byteCount: 4096)
  static let managed = AddrRange(start: VirtAddr(0x40_0000), byteCount: 4 << 20)
  /// x86-64: a protection key in bits 62 to 59, and software bits 58 to 52 and 11 to 9.
  static let foreignBits: UInt64 = 0x2AB0_0000_0000_0A00

  /// The address of the entry that maps a page, found by an independent walk of four levels of 512 entries.
  func slot<Format: PageTableFormat>(
    of page: VirtAddr, level: Int, in table: borrowing PageTable<Format, OffsetPhysMapper>,
    _ frames: borrowing TestFrames
  ) -> PhysAddr {
    var next = table.root
    for at in (level + 1..<Format.levelCount).reversed() {
      next = Format.address(in: PageTableEntry(frames.word(next + UInt64(page.tableIndex(level: at)) * 8)))
    }
    return next + UInt64(page.tableIndex(level: level)) * 8
  }

  @Test func fixedFramesAreRegistersUnlessTheyAreSaidToBeMemory() throws {
    #expect(try leafOfFixedFrame(X86FourLevel.self, nil) & 0x98 == 0x18)
    #expect(try leafOfFixedFrame(X86FourLevel.self, .normal) & 0x98 == 0)
    #expect(try leafOfFixedFrame(X86FourLevel.self, .writeCombining) & 0x98 == 0x90)
    #expect(try leafOfFixedFrame(AArch64Lower.self, nil) >> 2 & 7 == 3)
    #expect(try leafOfFixedFrame(AArch64Lower.self, .normal) >> 2 & 7 == 0)
    #expect(try leafOfFixedFrame(Sv48MemoryTypes.self, nil) >> 61 == 2)
    #expect(try leafOfFixedFrame(Sv48.self, nil) >> 61 == 0)
  }

  func leafOfFixedFrame<Format: PageTableFormat>(_ format: Format.Type, _ type: MemoryType?) throws -> UInt64 {
    var frames = TestFrames()
    var space = try AddressSpace<Format, OffsetPhysMapper>(
      managing: Self.managed, mapper: frames.mapper, policy: .never, &frames)
    if let type {
      try space.addRegion(Self.registers, .userData, as: type, at: Self.managed.start, &frames)
    } else {
      try space.addRegion(Self.registers, .userData, at: Self.managed.start, &frames)
    }
    let bits = frames.word(slot(of: Self.managed.start, level: 0, in: space.table, frames))
    space.deallocate(&frames)
    #expect(frames.usedCount == 0)
    return bits
  }

  @Test func aWriteAfterProtectionKeepsThem() throws {
    try check(X86FourLevel.self, keeps: 0x18, foreign: Self.foreignBits)
    try check(AArch64Lower.self, keeps: 7 << 2)
    try check(Sv48MemoryTypes.self, keeps: 3 << 61)
  }

  /// Fixed frames: read-only and writable again, forked, written on both sides.
  func check<Format: PageTableFormat>(_ format: Format.Type, keeps type: UInt64, foreign: UInt64 = 0) throws {
    var frames = TestFrames()
    var tlb = CountingTLB()
    let page = AddrRange(start: Self.managed.start, byteCount: 4096)
    var space = try AddressSpace<Format, OffsetPhysMapper>(
      managing: Self.managed, mapper: frames.mapper, policy: .never, &frames)
    try space.addRegion(Self.registers, .userData, at: page.start, &frames)
    let slot = slot(of: page.start, level: 0, in: space.table, frames)
    frames.write(frames.word(slot) | foreign, at: slot)
    let mask = type | foreign
    let wanted = frames.word(slot) & mask
    #expect(wanted & foreign == foreign && wanted & type != 0)
    try space.protect(page, .userReadOnly, &frames, &tlb)
    #expect(frames.word(slot) & mask == wanted)
    try space.protect(page, .userData, &frames, &tlb)
    #expect(try space.handleFault(page.start, .write, &frames, &tlb) == .madeWritable)
    #expect(frames.word(slot) & mask == wanted)
    let child = try space.fork(&frames, &tlb)
    #expect(frames.word(self.slot(of: page.start, level: 0, in: child.table, frames)) & mask == wanted)
    child.deallocate(&frames)
    space.deallocate(&frames)
  }

  @Test func aCopyOnWriteKeepsThem() throws {
    var frames = TestFrames()
    var tlb = CountingTLB()
    let page = Self.managed.start
    var space = try AddressSpace<X86FourLevel, OffsetPhysMapper>(
      managing: Self.managed, mapper: frames.mapper, policy: .never, &frames)
    try space.addRegion(Self.managed, .userData, &frames)
    _ = try space.handleFault(page, .write, &frames, &tlb)
    let slot = slot(of: page, level: 0, in: space.table, frames)
    // A private page that the owner of the table made write-combining.
    let bits: UInt64 = 0x90 | Self.foreignBits
    frames.write(frames.word(slot) | bits, at: slot)
    let before = try space.table.translate(page).physical
    let child = try space.fork(&frames, &tlb)
    #expect(try space.handleFault(page, .write, &frames, &tlb) == .copied)
    #expect(try space.table.translate(page).physical != before)
    #expect(frames.word(slot) & bits == bits)
    child.deallocate(&frames)
    space.deallocate(&frames)
  }

  @Test func splittingAndJoiningKeepThem() throws {
    try splitAndJoin(X86FourLevel.self, foreign: Self.foreignBits)
    try splitAndJoin(AArch64Lower.self, foreign: 0)
    try splitAndJoin(Sv48MemoryTypes.self, foreign: 0)
  }

  func splitAndJoin<Format: PageTableFormat>(_ format: Format.Type, foreign: UInt64) throws {
    var frames = TestFrames()
    let attributes = PageAttributes(.kernelData, .uncached, isGlobal: true)
    var table = try PageTable<Format, OffsetPhysMapper>(mapper: frames.mapper, &frames)
    let large = Page(start: VirtAddr(1 << 30), size: .size1GiB)
    try table.map(large, to: Page(start: PhysAddr(1 << 30), size: .size1GiB), attributes, &frames).ignore()
    let slot = slot(of: large.start, level: 2, in: table, frames)
    frames.write(frames.word(slot) | foreign, at: slot)
    let before = frames.word(slot)
    var tlb = NoTLB()
    try table.split(large, &frames, &tlb)
    try table.split(Page(start: large.start, size: .size2MiB), &frames, &tlb)
    #expect(frames.word(self.slot(of: large.start + 0x1000, level: 0, in: table, frames)) & foreign == foreign)
    #expect(frames.word(self.slot(of: large.start + 0x20_0000, level: 1, in: table, frames)) & foreign == foreign)
    let small = try table.translate(large.start + 0x1000)
    #expect(small.size == .size4KiB && small.memoryType == .uncached && small.isGlobal)
    let other = try table.translate(large.start + 0x20_1000)
    #expect(other.size == .size2MiB && other.memoryType == .uncached && other.isGlobal)
    #expect(try table.join(large.range, &tlb) == 2)
    #expect(frames.word(slot) == before)
  }

  /// A block of which every page was touched becomes one large page; its pages have a protection key.
  @Test(arguments: [true, false]) func promotionKeepsThem(areEqual: Bool) throws {
    var frames = TestFrames()
    var tlb = CountingTLB()
    let block = AddrRange(start: Self.managed.start, byteCount: 2 << 20)
    var space = try AddressSpace<X86FourLevel, OffsetPhysMapper>(
      managing: Self.managed, mapper: frames.mapper, policy: .never, &frames)
    try space.addRegion(block, .userData, &frames)
    for page in 0..<UInt(511) { _ = try space.handleFault(block.start + page * 4096, .write, &frames, &tlb) }
    for page in 0..<UInt(511) where areEqual || page != 77 {
      let slot = slot(of: block.start + page * 4096, level: 0, in: space.table, frames)
      frames.write(frames.word(slot) | Self.foreignBits, at: slot)
    }
    space.policy = .dynamic
    // The last page gets no key of its own, since it is mapped only now: the block stays as it is, even when full.
    _ = try space.handleFault(block.start + 511 * 4096, .write, &frames, &tlb)
    let last = slot(of: block.start + 511 * 4096, level: 0, in: space.table, frames)
    #expect(space.statistics.promotionCount == 0)
    frames.write(frames.word(last) | Self.foreignBits, at: last)
    // After a fork, the first write to a page that is no longer shared looks at the block again.
    let child = try space.fork(&frames, &tlb)
    child.deallocate(&frames)
    _ = try space.handleFault(block.start + 31 * 4096, .write, &frames, &tlb)
    #expect(space.statistics.promotionCount == (areEqual ? 1 : 0))
    let level = areEqual ? 1 : 0
    let bits = frames.word(slot(of: block.start, level: level, in: space.table, frames))
    #expect(bits & Self.foreignBits == Self.foreignBits)
    space.deallocate(&frames)
    #expect(frames.usedCount == 0)
  }

  /// A page without any permission is the kernel's to the processor, but never the same in every address space.
  @Test func anInaccessiblePageIsNotGlobal() throws {
    var frames = TestFrames()
    var tlb = CountingTLB()
    let page = AddrRange(start: Self.managed.start, byteCount: 4096)
    var space = try AddressSpace<AArch64Lower, OffsetPhysMapper>(
      managing: Self.managed, mapper: frames.mapper, policy: .never, &frames)
    try space.addRegion(page, .userData, &frames)
    _ = try space.handleFault(page.start, .write, &frames, &tlb)
    try space.protect(page, MemPerm(), &frames, &tlb)
    let found = try space.table.translate(page.start)
    #expect(!found.permissions.contains(.user) && !found.isGlobal)
    space.deallocate(&frames)
  }

  @Test func pagesOfDifferentTypesAreNotJoined() throws {
    var frames = TestFrames()
    var table = try PageTable<X86FourLevel, OffsetPhysMapper>(mapper: frames.mapper, &frames)
    let large = Page(start: VirtAddr(0x20_0000), size: .size2MiB)
    let half = AddrRange(start: large.start, byteCount: 1 << 20)
    let rest = AddrRange(start: half.end, byteCount: 1 << 20)
    try table.map(half, to: PhysAddr(0x20_0000), PageAttributes(.kernelData), &frames).ignore()
    try table.map(rest, to: PhysAddr(0x30_0000), PageAttributes(.kernelData, .uncached), &frames).ignore()
    var tlb = NoTLB()
    #expect(try table.join(large.range, &tlb) == 0)
    #expect(try table.translate(large.start).size == .size4KiB)
    #expect(try table.translate(rest.start).memoryType == .uncached)
  }
}
