import Addresses
import Glibc
import LabTestSupport
import PageTables
import Testing

/// Page tables that are reached through their own recursive entry.
@Suite(.serialized) struct RecursiveTablesTests {
  typealias Tables = RecursiveTables<X86FourLevel, WindowTLB>
  static let page = Page(start: VirtAddr(0x40_0000))
  static let frame = Page(start: PhysAddr(0x20_0000))

  func makeTables(_ processor: WindowProcessor) -> Tables {
    Tables(WindowProcessor.window, scratch: WindowProcessor.scratch, tlb: WindowTLB(processor: processor))
  }

  @Test func mapsTranslatesAndUnmaps() throws {
    try WindowProcessor.run { processor in
      var frames = WindowFrames(processor: processor)
      var tlb = WindowTLB(processor: processor)
      var tables = makeTables(processor)
      let root = tables.root
      #expect(root == processor.root)
      let before = processor.usedFrames.count
      try tables.map(Self.page, to: Self.frame, .userData, &frames).flush(using: &tlb)
      #expect(processor.usedFrames.count == before + 3)
      // The processor's walk finds the same as the window.
      #expect(processor.translate(VirtAddr(0x40_0123))?.physical == PhysAddr(0x20_0123))
      let translation = try tables.translate(VirtAddr(0x40_0123))
      #expect(translation.physical == PhysAddr(0x20_0123))
      #expect(translation.permissions == .userData)
      #expect(processor.translate(VirtAddr(0x40_1000)) == nil)

      try tables.updatePermissions(Self.page, .userReadOnly).flush(using: &tlb)
      #expect(processor.translate(Self.page.start)?.permissions == .userReadOnly)
      let unmapped = try tables.unmap(Self.page)
      #expect(unmapped.flush(using: &tlb) == Self.frame)
      #expect(processor.translate(Self.page.start) == nil)
      #expect(throws: UnmapError.notMapped) { _ = try tables.unmap(Self.page).ignore() }
    }
  }

  /// At every write to a linked table, all frames given out are tables without an entry that nobody wrote.
  @Test func tablesAreClearedBeforeTheyAreLinked() throws {
    try WindowProcessor.run { processor in
      var frames = WindowFrames(processor: processor)
      var tables = makeTables(processor)
      // Each needs one to three tables. The scratch page is flushed after each table.
      for (number, address) in [0x40_0000, 0x41_0000, 0x60_0000, 0x4000_0000, 0x80_0000_0000].enumerated() {
        processor.forgetAll()
        try tables.map(Page(start: VirtAddr(UInt(address))), to: Self.frame, .userData, &frames).ignore()
        #expect(processor.exposures.isEmpty, "mapping \(number)")
      }
      #expect(processor.flushCount == 3 + 0 + 1 + 2 + 3)
      #expect(processor.translate(WindowProcessor.scratch) == nil)
    }
  }

  /// Random operations, and a dictionary. The TLB is emptied now and then.
  @Test(arguments: [1, 2, 3]) func agreesWithAModel(_ seed: UInt64) throws {
    WindowProcessor.run { processor in
      var generator = SeededGenerator(seed: seed)
      var frames = WindowFrames(processor: processor)
      var tlb = WindowTLB(processor: processor)
      var tables = makeTables(processor)
      var model: [UInt: (frame: UInt64, permissions: MemPerm)] = [:]
      let bases: [UInt] = [0x40_0000, 0x7F_F000, 0x3FFF_F000, 0x80_0000_0000, 0x7FFF_FFFF_0000]
      let all: [MemPerm] = [.userData, .userReadOnly, .kernelData, .kernelCode]
      for _ in 0..<2000 {
        guard let base = bases.randomElement(using: &generator), let permissions = all.randomElement(using: &generator)
        else { continue }
        let page = Page(start: VirtAddr(base + UInt.random(in: 0..<4, using: &generator) * 4096))
        let frame = Page(start: PhysAddr(UInt64.random(in: 1..<0x1000, using: &generator) * 4096))
        let old = model[page.start.raw]
        switch Int.random(in: 0..<8, using: &generator) {
        case 0...2:
          do throws(MapError) {
            try tables.map(page, to: frame, permissions, &frames).flush(using: &tlb)
            #expect(old == nil)
            model[page.start.raw] = (frame.start.raw, permissions)
          } catch {
            #expect(error == .alreadyMapped && old != nil)
          }
        case 3...4:
          do throws(UnmapError) {
            let unmapped = try tables.unmap(page).flush(using: &tlb)
            #expect(unmapped.start.raw == old?.frame)
            model[page.start.raw] = nil
          } catch {
            #expect(error == .notMapped && old == nil)
          }
        case 5:
          do throws(MapError) {
            try tables.updatePermissions(page, permissions).flush(using: &tlb)
            #expect(old != nil)
            model[page.start.raw]?.permissions = permissions
          } catch {
            #expect(error == .notMapped && old == nil)
          }
        case 6: processor.forgetAll()
        default:
          let found = try? tables.translate(page.start)
          #expect(found?.physical.raw == old?.frame)
          #expect(found?.permissions == old.map { X86FourLevel.granted($0.permissions) })
        }
        let walked = processor.translate(page.start)
        #expect(walked?.physical.raw == model[page.start.raw]?.frame)
      }
      #expect(processor.exposures.isEmpty)
    }
  }

  @Test func refusesWhatPageTablesRefuse() throws {
    try WindowProcessor.run { processor in
      var frames = WindowFrames(processor: processor)
      var tables = makeTables(processor)
      let inWindow = Page(start: VirtAddr(100 << 39))
      #expect(throws: MapError.internalError) {
        try tables.map(inWindow, to: Self.frame, .kernelData, &frames).ignore()
      }
      #expect(throws: UnmapError.notMapped) { _ = try tables.unmap(inWindow).ignore() }
      #expect(throws: MapError.notMapped) { try tables.updatePermissions(inWindow, .kernelData).ignore() }
      #expect(throws: MapError.nonCanonical) {
        try tables.map(Page(start: VirtAddr(1 << 47)), to: Self.frame, .kernelData, &frames).ignore()
      }
      try tables.map(Self.page, to: Self.frame, .userData, &frames).ignore()
      let large = Page(start: Self.page.start, size: .size2MiB)
      let largeFrame = Page(start: PhysAddr(0x20_0000), size: .size2MiB)
      #expect(throws: MapError.alreadyMapped) { try tables.map(large, to: largeFrame, .userData, &frames).ignore() }
      _ = try tables.unmap(Self.page).ignore()
      #expect(throws: MapError.emptyTable) { try tables.map(large, to: largeFrame, .userData, &frames).ignore() }
      let huge = Page(start: VirtAddr(0), size: .size1GiB)
      #expect(throws: MapError.emptyTable) {
        try tables.map(huge, to: Page(start: PhysAddr(0), size: .size1GiB), .userData, &frames).ignore()
      }
      let other = Page(start: VirtAddr(0x80_0000), size: .size2MiB)
      try tables.map(other, to: largeFrame, .userData, &frames).ignore()
      #expect(throws: UnmapError.hugePage) { _ = try tables.unmap(Page(start: other.start)).ignore() }
      #expect(throws: MapError.unsupportedPageSize(.size2MiB)) {
        try tables.updatePermissions(Page(start: other.start), .userReadOnly).ignore()
      }
      #expect(try tables.translate(other) == largeFrame)
      #expect(throws: TranslationError.hugePage) { _ = try tables.translate(Page(start: other.start)) }
    }
  }

  @Test func aMissingTableLeavesAllAsItWas() throws {
    WindowProcessor.run { processor in
      var frames = WindowFrames(processor: processor)
      var tables = makeTables(processor)
      let before = processor.usedFrames
      for left in 0..<3 {
        frames.allocationsLeft = left
        #expect(throws: MapError.frameAllocationFailed) {
          try tables.map(Self.page, to: Self.frame, .userData, &frames).ignore()
        }
        #expect(processor.usedFrames == before)
      }
      #expect(processor.flushCount == 0)
      #expect(processor.translate(Self.page.start) == nil)
    }
  }

  /// User mode sees no table, and no table is executable.
  @Test func theWindowIsTheKernels() throws {
    WindowProcessor.run { processor in
      let page = WindowProcessor.window.table(of: WindowProcessor.scratch, level: 0)
      #expect(processor.translate(page.start)?.permissions == .kernelData)
      let bits = WindowProcessor.window.entry(forRoot: PhysAddr(0x1234_5000)).bits
      #expect(bits == 0x8000_0000_1234_5003)
    }
  }

  @Test func aScratchPageNeedsATable() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      WindowProcessor.run { processor in
        _ = Tables(
          WindowProcessor.window, scratch: VirtAddr(0x70_0000_0000), tlb: WindowTLB(processor: processor))
      }
    }
    #expect(text(of: result).contains("a scratch page must be unmapped and have a table, found: 0x7000000000"))
  }

  @Test func aRecursiveEntryTakesAnEmptyPlace() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      WindowProcessor.run { processor in
        var table = PageTable<X86FourLevel, OffsetPhysMapper>(adopting: processor.root, mapper: processor.mapper)
        table.addRecursiveEntry(WindowProcessor.window)
      }
    }
    #expect(text(of: result).contains("a recursive entry must take an empty one's place, found"))
  }
}
