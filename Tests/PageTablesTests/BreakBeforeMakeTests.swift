import Addresses
import PageTables
import Testing

/// Address spaces on processors that cache everything: no entry is overwritten by one that translates differently, and no
/// frame is freed, before the caches were flushed. `PageTableModelTests` checks the same of page tables.
@Suite struct BreakBeforeMakeTests {
  /// A process, and the caches of the processors that run it.
  struct Machine<Format: PageTableFormat>: ~Copyable {
    var space: AddressSpace<Format, OffsetPhysMapper>
    var tlb: ModelTLB<Format>

    init(_ space: consuming AddressSpace<Format, OffsetPhysMapper>, _ frames: inout TestFrames) {
      let caches = ProcessorCaches<Format>(root: space.table.root, frames)
      frames.watchers.append(caches)
      self.space = space
      tlb = ModelTLB(caches)
    }

    init(_ range: AddrRange<VirtAddr>, _ policy: LargePagePolicy, _ frames: inout TestFrames) throws {
      var space = try AddressSpace<Format, OffsetPhysMapper>(
        managing: range, mapper: frames.mapper, policy: policy, &frames)
      do {
        try space.addRegion(range, .userData, &frames)
      } catch {
        space.deallocate(&frames)
        throw error
      }
      self.init(space, &frames)
    }

    mutating func fault(_ address: VirtAddr, _ access: MemoryAccess, _ frames: inout TestFrames) throws
      -> FaultResolution
    {
      tlb.caches.observe()
      let resolution = try space.handleFault(address, access, &frames, &tlb)
      tlb.caches.observe()
      tlb.caches.checkMarks(space.table)
      return resolution
    }

    consuming func end(_ frames: inout TestFrames) -> [String] {
      tlb.caches.observe()
      let findings = tlb.caches.findings
      frames.watchers = []
      space.deallocate(&frames)
      return findings
    }
  }

  static let range = AddrRange(start: VirtAddr(0x40_0000), byteCount: 4 << 20)

  @Test func copyOnWrite() throws {
    #expect(try copyOnWrite(X86FourLevel.self) == [])
    #expect(try copyOnWrite(X86FiveLevel.self) == [])
    #expect(try copyOnWrite(AArch64Lower.self) == [])
    #expect(try copyOnWrite(Sv39.self) == [])
    #expect(try copyOnWrite(Sv48.self) == [])
  }

  /// The model finds the offence when the flush in the middle does not reach the processors.
  @Test func aForgottenFlushIsFound() throws {
    let finding = "without a flush in between"
    #expect(try copyOnWrite(AArch64Lower.self, isDeaf: true).contains { $0.hasSuffix(finding) })
    #expect(try copyOnWrite(X86FourLevel.self, isDeaf: true).contains { $0.hasSuffix(finding) })
    #expect(try emptiedTable(X86FourLevel.self, isDeaf: true).contains { $0.hasSuffix("was freed without a flush") })
    #expect(try emptiedTable(AArch64Lower.self, isDeaf: true).contains { $0.hasSuffix(finding) })
  }

  func copyOnWrite<Format: PageTableFormat>(_ format: Format.Type, isDeaf: Bool = false) throws -> [String] {
    var frames = TestFrames()
    var parent = try Machine<Format>(Self.range, .never, &frames)
    _ = try parent.fault(Self.range.start, .write, &frames)
    let child = try parent.space.fork(&frames, &parent.tlb)
    parent.tlb.isDeaf = isDeaf
    #expect(try parent.fault(Self.range.start, .write, &frames) == .copied)
    parent.tlb.isDeaf = false
    child.deallocate(&frames)
    return parent.end(&frames)
  }

  @Test func aLargePageOverAnEmptiedTable() throws {
    #expect(try emptiedTable(X86FourLevel.self) == [])
    #expect(try emptiedTable(AArch64Lower.self) == [])
    #expect(try emptiedTable(Sv39.self) == [])
  }

  /// A shortage takes a large page of zeros apart. A later fault finds a table without entries in the block.
  func emptiedTable<Format: PageTableFormat>(_ format: Format.Type, isDeaf: Bool = false) throws -> [String] {
    var frames = TestFrames()
    var machine = try Machine<Format>(Self.range, .always, &frames)
    #expect(try machine.fault(Self.range.start, .read, &frames) == .filled(.size2MiB))
    frames.allocationsLeft = 0
    let other = Self.range.start + (2 << 20)
    #expect(throws: FaultRefusal.outOfFrames(Page(start: other))) { try machine.fault(other, .read, &frames) }
    #expect(machine.space.statistics.reclaimedFrameCount == 511)
    frames.allocationsLeft = nil
    let count = machine.tlb.callCount
    machine.tlb.isDeaf = isDeaf
    #expect(try machine.fault(Self.range.start, .read, &frames) == .filled(.size2MiB))
    #expect(machine.tlb.callCount == count + 1)
    #expect(machine.space.table.retiredTableCount == 0)
    machine.tlb.isDeaf = false
    return machine.end(&frames)
  }

  @Test func promotionAndDemotion() throws {
    #expect(try promotion(X86FourLevel.self) == [])
    #expect(try promotion(AArch64Lower.self) == [])
    #expect(try promotion(Sv48.self) == [])
  }

  func promotion<Format: PageTableFormat>(_ format: Format.Type) throws -> [String] {
    var frames = TestFrames(byteCount: 16 << 20)
    var machine = try Machine<Format>(Self.range, .dynamic, &frames)
    for page in 0..<UInt(256) {
      _ = try machine.fault(Self.range.start + page * 4096, .write, &frames)
    }
    #expect(machine.space.statistics.promotionCount == 1)
    let part = AddrRange(start: Self.range.start + 8192, byteCount: 4096)
    try machine.space.protect(part, .userReadOnly, &frames, &machine.tlb)
    machine.tlb.caches.observe()
    let child = try machine.space.fork(&frames, &machine.tlb)
    _ = try machine.fault(Self.range.start, .write, &frames)
    try machine.space.unmap(part, &frames, &machine.tlb)
    machine.tlb.caches.checkMarks(machine.space.table)
    child.deallocate(&frames)
    return machine.end(&frames)
  }

  /// A join keeps every small page in place until the flush where the format allows it, and breaks them all where not.
  @Test func joinKeepsTheOldTableUntilTheFlush() throws {
    #expect(try presentDuringJoin(X86FourLevel.self) == [512, 512])
    #expect(try presentDuringJoin(Sv39.self) == [512, 512])
    #expect(try presentDuringJoin(AArch64Lower.self) == [512, 0])
  }

  /// How many small pages the old table holds at the flush, and how many pages a walk from the root finds.
  func presentDuringJoin<Format: PageTableFormat>(_ format: Format.Type) throws -> [Int] {
    var frames = TestFrames()
    var table = try PageTable<Format, OffsetPhysMapper>(mapper: frames.mapper, &frames)
    let block = AddrRange(start: VirtAddr(0x40_0000), byteCount: 2 << 20)
    try table.map(block, to: PhysAddr(0x20_0000), .kernelCode, largest: .size4KiB, &frames).ignore()
    let caches = ProcessorCaches<Format>(root: table.root, frames)
    guard let below = caches.tables.first(where: { $0.key.level == 1 })?.value else { return [] }
    var tlb = LookingTLB {
      let kept = (0..<512).filter { caches.word(below + $0 * 8) & 1 != 0 }.count
      let now = ProcessorCaches<Format>(root: caches.root, memory: caches.memory)
      return [kept, now.leaves.map { Int(($0.key.end - $0.key.start) >> 12) }.reduce(0, +)]
    }
    #expect(try table.join(block, &tlb) == 1)
    return tlb.seen
  }

  /// A processor writes through the old table at the last moment: the large page is dirty.
  @Test func joinGathersTheMarksOfTheOldTable() throws {
    #expect(try isDirtyAfterJoin(X86FourLevel.self))
    #expect(try isDirtyAfterJoin(AArch64Lower.self))
    #expect(try isDirtyAfterJoin(Sv39.self))
  }

  func isDirtyAfterJoin<Format: PageTableFormat>(_ format: Format.Type) throws -> Bool {
    var frames = TestFrames()
    var table = try PageTable<Format, OffsetPhysMapper>(mapper: frames.mapper, &frames)
    let block = AddrRange(start: VirtAddr(0x40_0000), byteCount: 2 << 20)
    try table.map(block, to: PhysAddr(0x20_0000), .userData, largest: .size4KiB, &frames).ignore()
    for page in block.pages() { _ = try table.clearDirty(page).ignore() }
    let caches = ProcessorCaches<Format>(root: table.root, frames)
    guard let below = caches.tables.first(where: { $0.key.level == 1 })?.value else { return false }
    var tlb = LookingTLB {
      let location = below + 5 * 8
      caches.memory.storeBytes(
        of: caches.rules.written(caches.word(location)), toByteOffset: Int(location), as: UInt64.self)
      return []
    }
    #expect(try table.join(block, &tlb) == 1)
    return try table.translate(block.start).isDirty
  }

  /// Unmapping takes one flush for a region, however long it is.
  @Test func unmappingFlushesOnce() throws {
    var frames = TestFrames(byteCount: 40 << 20)
    let range = AddrRange(start: VirtAddr(0x4000_0000), byteCount: 32 << 20)
    var machine = try Machine<X86FourLevel>(range, .never, &frames)
    var tlb = CountingTLB()
    for page in 0..<range.byteCount >> 12 {
      _ = try machine.space.handleFault(range.start + page * 4096, .write, &frames, &tlb)
    }
    tlb = CountingTLB()
    let usedCount = frames.usedCount
    frames.watchers = []
    try machine.space.unmap(range, &frames, &tlb)
    #expect(tlb.callCount == 1 && tlb.fullCount == 0 && tlb.pageCount == 8192)
    // The pages, 16 tables of level 0, and the one above them.
    #expect(frames.usedCount == usedCount - 8192 - 16 - 2)
    #expect(machine.end(&frames) == [])
    #expect(frames.usedCount == 0)
  }

  @Test func framesOutliveTheirTranslations() throws {
    #expect(try unmapMiddle(isDeaf: false) == [])
    #expect(try unmapMiddle(isDeaf: true).filter { $0.hasSuffix("was freed without a flush") }.count == 3)
  }

  func unmapMiddle(isDeaf: Bool) throws -> [String] {
    var frames = TestFrames()
    var machine = try Machine<X86FourLevel>(Self.range, .never, &frames)
    for page in [UInt(0), 1, 511, 512, 700] {
      _ = try machine.fault(Self.range.start + page * 4096, .write, &frames)
    }
    let middle = AddrRange(start: Self.range.start + 4096, byteCount: 512 * 4096)
    machine.tlb.isDeaf = isDeaf
    try machine.space.unmap(middle, &frames, &machine.tlb)
    return machine.end(&frames)
  }
}

/// An invalidator that looks at the tables when it is called.
struct LookingTLB: TLBInvalidator {
  private(set) var seen: [Int] = []
  let look: () -> [Int]

  init(_ look: @escaping () -> [Int]) { self.look = look }

  mutating func invalidate(_ start: VirtAddr, pageCount: UInt64) { seen += look() }
  mutating func invalidateAll() { seen += look() }
}
