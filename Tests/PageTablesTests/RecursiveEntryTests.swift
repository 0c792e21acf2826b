import Addresses
import Glibc
import LabTestSupport
import PageTables
import Testing

/// Adopted tables whose root refers to itself.
@Suite struct RecursiveEntryTests {
  typealias Table = PageTable<X86FourLevel, OffsetPhysMapper>
  static let page = Page(start: VirtAddr(0x40_0000))
  /// The window through which entry 510 shows the tables.
  static let window = AddrRange(start: VirtAddr(0xFFFF_FF00_0000_0000), byteCount: 1 << 39)

  /// Tables with a recursive entry at 510 and one mapped page.
  func adopted(_ frames: inout TestFrames) throws -> Table {
    var made = try Table(mapper: frames.mapper, &frames)
    try made.map(Self.page, to: Page(start: PhysAddr(0x20_0000)), .kernelData, &frames).ignore()
    frames.write(made.root.raw | 3, at: made.root + 510 * 8)
    return made
  }

  @Test func destructionFreesTheRootOnce() throws {
    var frames = TestFrames()
    let table = try adopted(&frames)
    #expect(table.tableCount == 4)
    table.deallocateWithKernelHalf(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func walksFollowItAsProcessorsDo() throws {
    var frames = TestFrames()
    let table = try adopted(&frames)
    // The root as a page: the entry four times.
    #expect(try table.translate(VirtAddr(0xFFFF_FF7F_BFDF_E000)).physical == table.root)
    var windowCount = 0
    table.forEachMapping(in: Self.window) { _, _ in windowCount += 1 }
    #expect(windowCount == 4)
    let holdsRoot = table.holdsTable(in: AddrRange(start: table.root, byteCount: 4096))
    #expect(holdsRoot)
    table.deallocateWithKernelHalf(&frames)
  }

  @Test func nothingBehindItIsChanged() throws {
    var frames = TestFrames()
    var tlb = NoTLB()
    var table = try adopted(&frames)
    let before = frames.snapshot()
    let inside = Page(start: VirtAddr(0xFFFF_FF7F_BFDF_E000))
    #expect(throws: MapError.internalError) {
      try table.map(inside, to: Page(start: PhysAddr(0)), .kernelData, &frames).ignore()
    }
    #expect(throws: RangeError(MapError.internalError, at: Page(start: Self.window.start, size: .size1GiB))) {
      try table.map(Self.window, to: PhysAddr(0), .kernelData, &frames).ignore()
    }
    #expect(throws: UnmapError.notMapped) { _ = try table.unmap(inside).ignore() }
    #expect(throws: MapError.notMapped) { try table.updatePermissions(inside, .kernelCode).ignore() }
    try table.unmap(Self.window, &frames, &tlb) { _ in Issue.record("something was unmapped") }.ignore()
    try table.protect(Self.window, .kernelReadOnly, &frames, &tlb).ignore()
    try table.cleanUp(Self.window).ignore()
    #expect(try table.join(Self.window, &tlb) == 0)
    #expect(frames.snapshot() == before)
    table.deallocateWithKernelHalf(&frames)
    #expect(frames.usedCount == 0)
  }

  /// Each root's entry refers to that root, whoever copied the kernel half.
  @Test func aCopiedKernelHalfHasItsOwn() throws {
    var frames = TestFrames()
    var kernel = try adopted(&frames)
    try kernel.prepareKernelHalf(&frames)
    var process = try Table(mapper: frames.mapper, &frames)
    try process.copyKernelHalf(from: kernel)
    #expect(frames.word(process.root + 510 * 8) == process.root.raw | 3)
    // A processor has used one root's entries meanwhile; they are the same all the same.
    let entry = kernel.root + 300 * 8
    frames.write(frames.word(entry) | 0x20, at: entry)
    try process.copyKernelHalf(from: kernel)
    process.deallocate(&frames)
    kernel.deallocateWithKernelHalf(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func theWindowShowsEveryTable() throws {
    try showTables(X86FourLevel.self, index: 510, 0x7FFF_1234_5000)
    try showTables(X86FiveLevel.self, index: 3, 0x00FF_1234_5678_9000)
    try showTables(AArch64Lower.self, index: 510, 0x0000_FFFF_1234_5000)
    try showTables(AArch64Upper.self, index: 1, 0xFFFF_9234_5678_9000)
  }

  /// Compares the window's addresses with the tables that a walk finds.
  func showTables<Format: PageTableFormat>(_ format: Format.Type, index: Int, _ address: UInt) throws {
    var frames = TestFrames()
    var table = try PageTable<Format, OffsetPhysMapper>(mapper: frames.mapper, &frames)
    let address = VirtAddr(address)
    try table.map(Page(start: address), to: Page(start: PhysAddr(0x5000)), .kernelData, &frames).ignore()
    frames.write(Format.tableEntry(table.root).bits, at: table.root + UInt64(index) * 8)
    let window = RecursiveWindow<Format>(index: index)
    var expected = table.root
    for level in (0..<Format.levelCount).reversed() {
      #expect(try table.translate(window.table(of: address, level: level).start).physical == expected)
      let entry = expected + UInt64(address.tableIndex(level: level)) * 8
      #expect(try table.translate(window.entry(of: address, level: level)).physical == entry)
      expected = Format.address(in: PageTableEntry(frames.word(entry)))
    }
    #expect(expected == PhysAddr(0x5000))
  }

  @Test func someFormatsHaveNone() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = RecursiveWindow<Sv39>(index: 5)
    }
    #expect(text(of: result).contains("a recursive entry needs a format whose tables can be pages"))
  }
}
