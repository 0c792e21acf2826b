import Addresses
import LabTestSupport
import PageTables
import Testing

/// Details that the random model does not check: page sizes, splits, joins, clean-up, marks, the kernel half, tokens.
@Suite struct PageTableRangesTests {
  typealias Table = PageTable<X86FourLevel, OffsetPhysMapper>

  @Test func theLargestPagesThatFitAreChosen() throws {
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, &frames)
    var tlb = NoTLB()
    let range = AddrRange(start: VirtAddr((1 << 30) - (2 << 20) - 4096), end: VirtAddr((2 << 30) + (2 << 20) + 4096))
    try table.map(range, to: PhysAddr(UInt64(range.start.raw)), .userData, &frames).ignore()
    var sizes: [PageSize] = []
    table.forEachMapping { page, translation in
      sizes.append(page.size)
      #expect(translation.physical.raw == UInt64(page.start.raw))
    }
    #expect(sizes == [.size4KiB, .size2MiB, .size1GiB, .size2MiB, .size4KiB])
    try table.unmap(range, &frames, &tlb) { _ in }.ignore()
    #expect(table.tableCount == 1)
    table.deallocateRetiredTables(&frames)
    // Frames with a different alignment get small pages; the limit on page size holds.
    try table.map(range, to: PhysAddr(UInt64(range.start.raw) + (2 << 20)), .userData, &frames).ignore()
    #expect(try table.translate(VirtAddr(1 << 30)).size == .size2MiB)
    try table.unmap(range, &frames, &tlb) { _ in }.ignore()
    table.deallocateRetiredTables(&frames)
    let small = AddrRange(start: VirtAddr(1 << 30), byteCount: 4 << 20)
    try table.map(small, to: PhysAddr(0), .userData, largest: .size4KiB, &frames).ignore()
    #expect(try table.translate(small.start).size == .size4KiB)
    table.deallocate(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func identityAndOffset() throws {
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, &frames)
    let physical = AddrRange(start: PhysAddr(0x20_0000), byteCount: 0x40_0000)
    try table.mapIdentity(physical, .kernelData, &frames).ignore()
    try table.map(physical, offset: 0xFFFF_8000_0000_0000, .kernelData, &frames).ignore()
    #expect(try table.translate(VirtAddr(0x20_1234)).physical == PhysAddr(0x20_1234))
    #expect(try table.translate(VirtAddr(0xFFFF_8000_0020_1234)).physical == PhysAddr(0x20_1234))
    #expect(try table.translate(VirtAddr(0xFFFF_8000_0020_1234)).size == .size2MiB)
  }

  @Test func partialChangesSplitAndJoiningUndoesIt() throws {
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, &frames)
    var tlb = NoTLB()
    let giant = Page(start: VirtAddr(1 << 30), size: .size1GiB)
    try table.map(giant, to: Page(start: PhysAddr(1 << 30), size: .size1GiB), .userData, &frames).ignore()
    let part = AddrRange(start: giant.start + 4096, byteCount: 8192)
    try table.protect(part, .userReadOnly, &frames, &tlb).ignore()
    #expect(try table.translate(part.start).permissions == .userReadOnly)
    #expect(try table.translate(part.end).permissions == .userData)
    #expect(try table.translate(giant.start + (2 << 20)).size == .size2MiB)
    #expect(table.tableCount == 4)
    // Setting the permissions that a page already has splits nothing.
    let other = AddrRange(start: giant.start + (8 << 20) + 4096, byteCount: 4096)
    try table.protect(other, .userData, &frames, &tlb).ignore()
    #expect(try table.translate(other.start).size == .size2MiB)
    // The pages differ: nothing to join.
    #expect(try table.join(giant.range, &tlb) == 0)
    try table.protect(part, .userData, &frames, &tlb).ignore()
    // A mark on one page becomes a mark on the whole.
    _ = try table.clearAccessed(Page(start: giant.start)).ignore()
    #expect(try table.join(giant.range, &tlb) == 2)
    #expect(try table.translate(part.start).size == .size1GiB)
    #expect(table.retiredTableCount == 2)
    table.deallocateRetiredTables(&frames)
    table.deallocate(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func emptyTablesAreRetiredAndALargePageReplacesThem() throws {
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, &frames)
    var tlb = NoTLB()
    let page = Page(start: VirtAddr(0x40_0000))
    try table.map(page, to: Page(start: PhysAddr(0)), .userData, &frames).ignore()
    _ = try table.unmap(page).ignore()
    #expect(table.tableCount == 4)
    let large = Page(start: page.start, size: .size2MiB)
    let largeFrame = Page(start: PhysAddr(0), size: .size2MiB)
    #expect(throws: MapError.emptyTable) { try table.map(large, to: largeFrame, .userData, &frames).ignore() }
    try table.map(large, to: largeFrame, .userData, &frames, &tlb).ignore()
    #expect(table.retiredTableCount == 1)
    _ = try table.unmap(large).ignore()
    try table.cleanUp(AddrRange(start: VirtAddr(0), byteCount: 1 << 30)).ignore()
    #expect(table.tableCount == 1 && table.retiredTableCount == 3)
    table.deallocateRetiredTables(&frames)
    #expect(frames.usedCount == 1)
  }

  @Test func theKernelHalfIsShared() throws {
    var frames = TestFrames()
    var kernel = try Table(mapper: frames.mapper, &frames)
    var tlb = NoTLB()
    try kernel.prepareKernelHalf(&frames)
    var process = try Table(mapper: frames.mapper, &frames)
    try process.copyKernelHalf(from: kernel)
    let page = Page(start: VirtAddr(0xFFFF_C000_0000_0000))
    try kernel.map(page, to: Page(start: PhysAddr(0x5000)), .kernelData, &frames).ignore()
    #expect(try process.translate(page.start).physical == PhysAddr(0x5000))
    // Unmapping frees the tables below, but not those that both roots refer to.
    let range = AddrRange(start: page.start, byteCount: 1 << 39)
    try kernel.unmap(range, &frames, &tlb) { _ in }.ignore()
    #expect(throws: TranslationError.notMapped) { try process.translate(page.start) }
    try process.map(page, to: Page(start: PhysAddr(0x6000)), .kernelData, &frames).ignore()
    #expect(try kernel.translate(page.start).physical == PhysAddr(0x6000))
    var other = try Table(mapper: frames.mapper, &frames)
    try other.map(page, to: Page(start: PhysAddr(0)), .kernelData, &frames).ignore()
    #expect(throws: MapError.alreadyMapped) { try other.copyKernelHalf(from: kernel) }
    kernel.deallocateRetiredTables(&frames)
    other.deallocateWithKernelHalf(&frames)
    process.deallocate(&frames)
    kernel.deallocateWithKernelHalf(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func marksAreReadAndCleared() throws {
    try checkMarks(X86FourLevel.self, freshIsMarked: false)
    try checkMarks(AArch64Lower.self, freshIsMarked: true)
    try checkMarks(Sv48.self, freshIsMarked: true)
  }

  func checkMarks<Format: PageTableFormat>(_ format: Format.Type, freshIsMarked: Bool) throws {
    var frames = TestFrames()
    var table = try PageTable<Format, OffsetPhysMapper>(mapper: frames.mapper, &frames)
    let page = Page(start: VirtAddr(0x40_0000))
    try table.map(page, to: Page(start: PhysAddr(0x7000)), .userData, &frames).ignore()
    #expect(try table.clearAccessed(page).ignore() == freshIsMarked)
    #expect(try table.clearDirty(page).ignore() == freshIsMarked)
    let found = try table.translate(page.start)
    #expect(!found.isAccessed && !found.isDirty)
    // A clean page is still writable.
    #expect(found.permissions == .userData && found.physical == PhysAddr(0x7000))
    try table.updatePermissions(page, .userData).ignore()
    #expect(try table.translate(page.start).isDirty == false)
    #expect(throws: TranslationError.hugePage) {
      try table.map(
        Page(start: VirtAddr(0x60_0000), size: .size2MiB), to: Page(start: PhysAddr(0), size: .size2MiB), .userData,
        &frames
      ).ignore()
      _ = try table.clearDirty(Page(start: VirtAddr(0x60_0000))).ignore()
    }
  }

  @Test func framesOfTablesAreKnown() throws {
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, &frames)
    try table.map(Page(start: VirtAddr(0)), to: Page(start: PhysAddr(0x7000)), .userData, &frames).ignore()
    for used in frames.used.keys {
      let isTable = table.holdsTable(in: AddrRange(start: PhysAddr(used), byteCount: 4096))
      #expect(isTable)
    }
    let isTable = table.holdsTable(in: AddrRange(start: PhysAddr(0x7000), byteCount: 4096))
    #expect(!isTable)
  }

  @Test func batchesJoinNeighboursAndGiveUpBeyondEight() throws {
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, &frames)
    var tlb = CountingTLB()
    var batch = FlushBatch()
    for index in 0..<UInt(4) {
      let page = Page(start: VirtAddr(0x1000 + index * 4096))
      batch.add(try table.map(page, to: Page(start: PhysAddr(0)), .userData, &frames))
    }
    batch.flush(using: &tlb)
    #expect(tlb.callCount == 1 && tlb.pageCount == 4 && tlb.fullCount == 0)
    var scattered = FlushBatch()
    for index in 0..<UInt(9) {
      let page = Page(start: VirtAddr(0x10_0000 + index * 8192))
      scattered.add(try table.map(page, to: Page(start: PhysAddr(0)), .userData, &frames))
      _ = try table.unmap(page).flush(with: &scattered)
    }
    scattered.flush(using: &tlb)
    #expect(tlb.fullCount == 1)
    let last = Page(start: VirtAddr(0xFFFF_FFFF_FFFF_F000))
    try table.map(last, to: Page(start: PhysAddr(0)), .kernelData, &frames).flush(using: &tlb)
    #expect(tlb.callCount == 2 && tlb.pageCount == 5)
  }
}
