import Addresses
import PageTables
import Testing

/// Runs in adopted tables: AArch64's contiguous entries and RISC-V's NAPOT ones. They are written by hand, as another
/// kernel or a boot loader would.
@Suite struct RunTests {
  static let start = VirtAddr(0x41_0000)
  static let frame = PhysAddr(0x8001_0000)
  static var range: AddrRange<VirtAddr> { AddrRange(start: start, byteCount: 64 << 10) }
  static func page(_ index: UInt) -> Page<VirtAddr> { Page(start: start + index * 4096) }

  /// Tables with a run of 16 pages, and the processors that have it cached.
  struct Foreign<Format: PageTableFormat>: ~Copyable {
    var frames: TestFrames
    var table: PageTable<Format, OffsetPhysMapper>
    var tlb: ModelTLB<Format>
    /// The physical address of the run's first entry.
    let location: UInt64

    /// Maps 16 pages, and makes their entries a run with `join`.
    init(_ format: Format.Type, _ join: (UInt64) -> UInt64) throws {
      var frames = TestFrames()
      var table = try PageTable<Format, OffsetPhysMapper>(mapper: frames.mapper, &frames)
      do {
        try table.map(RunTests.range, to: RunTests.frame, .userData, &frames).ignore()
      } catch {
        table.deallocate(&frames)
        throw error
      }
      let caches = ProcessorCaches<Format>(root: table.root, frames)
      location = caches.leaves.values.map(\.location).min() ?? 0
      for index in 0..<UInt64(16) {
        let address = PhysAddr(location + index * 8)
        frames.write(join(frames.word(address)), at: address)
      }
      tlb = ModelTLB(ProcessorCaches(root: table.root, frames))
      self.frames = frames
      self.table = table
    }

    func word(_ index: UInt64) -> UInt64 { frames.word(PhysAddr(location + index * 8)) }

    /// Writes to the page of a member, as a processor does that sets the marks there alone.
    mutating func write(to index: UInt64) {
      frames.write(ProcessorRules(Format.self).written(word(index)), at: PhysAddr(location + index * 8))
    }
  }

  /// DDI 0487, D8.7.1: bit 52. AF is cleared, and AP[2] set: the pages are clean.
  func contiguous() throws -> Foreign<AArch64Lower> {
    try Foreign(AArch64Lower.self) { ($0 & ~(1 << 10)) | 1 << 52 | 1 << 7 }
  }

  /// Svnapot: N is bit 63, and the low four bits of the PPN are 1000. A and D are cleared.
  func napot() throws -> Foreign<Sv39> {
    try Foreign(Sv39.self) { ($0 & ~0xC0 & ~(0xF << 10)) | 1 << 63 | 8 << 10 }
  }

  @Test func walksUnderstandThem() throws {
    let napot = try napot()
    #expect(try napot.table.translate(VirtAddr(0x41_3008)).physical == PhysAddr(0x8001_3008))
    #expect(try napot.table.translate(VirtAddr(0x41_F000)).frame == Page(start: PhysAddr(0x8001_F000)))
    var seen: [UInt64] = []
    napot.table.forEachMapping { seen.append($1.physical.raw) }
    #expect(seen == (0..<16).map { 0x8001_0000 + $0 * 4096 })
    let contiguous = try contiguous()
    #expect(try contiguous.table.translate(VirtAddr(0x41_3008)).physical == PhysAddr(0x8001_3008))
  }

  @Test func aMarkOnOneMemberCountsForAll() throws {
    var foreign = try napot()
    #expect(try !foreign.table.translate(Self.start).isDirty)
    foreign.write(to: 5)
    #expect(try foreign.table.translate(Self.start).isDirty && foreign.table.translate(Self.start).isAccessed)
    #expect(try foreign.table.clearDirty(Self.page(9)).ignore())
    #expect(try !foreign.table.translate(Self.page(5).start).isDirty)
  }

  @Test func aChangeSplitsThem() throws {
    try change(try contiguous())
    try change(try napot())
  }

  /// Protects one page and unmaps another; the rest stays, each page with the marks of the run.
  func change<Format: PageTableFormat>(_ foreign: consuming Foreign<Format>) throws {
    var foreign = foreign
    #expect(throws: MapError.partOfRun) { try foreign.table.updatePermissions(Self.page(1), .userReadOnly).ignore() }
    #expect(throws: UnmapError.hugePage) { _ = try foreign.table.unmap(Self.page(1)).ignore() }
    #expect(try !foreign.table.translate(Self.start).isDirty)
    foreign.write(to: 3)
    let one = Self.page(4).range
    try foreign.table.protect(one, .userReadOnly, &foreign.frames, &foreign.tlb).flush(using: &foreign.tlb)
    for index in 0..<UInt(16) {
      let found = try foreign.table.translate(Self.page(index).start)
      #expect(found.physical == Self.frame + UInt64(index) * 4096, "\(Format.self), page \(index)")
      #expect(found.permissions == (index == 4 ? .userReadOnly : .userData))
      #expect(found.isDirty && found.isAccessed)
      #expect(Format.runCount(of: PageTableEntry(foreign.word(UInt64(index))), level: 0) == 1)
    }
    foreign.tlb.caches.observe()
    #expect(foreign.tlb.caches.findings == [])
  }

  @Test func unmappingARangeSplitsThem() throws {
    var foreign = try contiguous()
    var given: [UInt64] = []
    let two = AddrRange(start: Self.page(15).start, byteCount: 8192)
    try foreign.table.unmap(two, &foreign.frames, &foreign.tlb) { given.append($0.physical.raw) }.flush(
      using: &foreign.tlb)
    #expect(given == [0x8001_F000])
    #expect(throws: TranslationError.notMapped) { try foreign.table.translate(Self.page(15).start) }
    #expect(try foreign.table.translate(Self.page(14).start).physical == PhysAddr(0x8001_E000))
    foreign.tlb.caches.observe()
    #expect(foreign.tlb.caches.findings == [])
  }

  @Test func aMemberCanBeSplitOff() throws {
    var foreign = try napot()
    try foreign.table.split(Self.page(2), &foreign.frames, &foreign.tlb)
    #expect(try foreign.table.unmap(Self.page(2)).ignore() == Page(start: PhysAddr(0x8001_2000)))
    #expect(throws: MapError.unsupportedPageSize(.size4KiB)) {
      try foreign.table.split(Self.page(3), &foreign.frames, &foreign.tlb)
    }
  }

  @Test func reservedPatternsAreMalformed() {
    // N with low PPN bits other than 1000; N above level 0; bits 60 to 54; N in a table.
    #expect(Sv39.kind(of: PageTableEntry(1 << 63 | 8 << 10 | 0x43), level: 0) == .leaf)
    #expect(Sv39.kind(of: PageTableEntry(1 << 63 | 4 << 10 | 0x43), level: 0) == .malformed)
    #expect(Sv39.kind(of: PageTableEntry(1 << 63 | 0x43), level: 0) == .malformed)
    #expect(Sv39.kind(of: PageTableEntry(1 << 63 | 8 << 10 | 0x43), level: 1) == .malformed)
    #expect(Sv48.kind(of: PageTableEntry(1 << 54 | 0x443), level: 0) == .malformed)
    #expect(Sv48.kind(of: PageTableEntry(1 << 60 | 0x401), level: 1) == .malformed)
    #expect(Sv48.kind(of: PageTableEntry(1 << 63 | 0x401), level: 1) == .malformed)
  }
}
