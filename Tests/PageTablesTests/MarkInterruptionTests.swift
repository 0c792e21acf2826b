import Addresses
import LabTestSupport
import PageTables
import Testing

/// A processor sets the dirty mark right before an operation's first write to the leaf's table, after all that the
/// operation has read. The mark is kept or reported. `MarkRaceTests` has real threads, which seldom meet there.
@Suite(.serialized) struct MarkInterruptionTests {
  typealias Table<Format: PageTableFormat> = PageTable<Format, OffsetPhysMapper>
  static let page = Page(start: VirtAddr(0x40_0000))
  static let range = AddrRange(start: page.start, byteCount: 4096)

  /// Whether a page, clean at first, is dirty after `change`, or the change returned that it was.
  func isKept<Format: PageTableFormat>(
    _ format: Format.Type, _ change: (inout Table<Format>, inout WindowFrames) throws -> Bool
  ) throws -> Bool {
    try WindowProcessor.run { processor in
      var frames = WindowFrames(processor: processor)
      var table = try Table<Format>(mapper: processor.directMapper, &frames)
      try table.map(Self.page, to: Page(start: PhysAddr(0x20_0000)), .userData, &frames).ignore()
      _ = try table.clearDirty(Self.page).ignore()
      let walker = MarkRaceTests.Walker<Format>(
        memory: processor.memory - Int(WindowProcessor.base.raw), root: table.root.raw)
      var writeCount = 0
      processor.beforeWrite = { if walker.write(to: UInt64(Self.page.start.raw)) { writeCount += 1 } }
      processor.forgetAll()
      let isReported = try change(&table, &frames)
      processor.beforeWrite = {}
      #expect(writeCount == 1)
      let isDirty = (try? table.translate(Self.page.start))?.isDirty == true
      return isReported || isDirty
    }
  }

  func expectKept<Format: PageTableFormat>(_ format: Format.Type) throws {
    #expect(
      try isKept(Format.self) { table, _ in
        try table.updatePermissions(Self.page, .userReadOnly).ignore()
        return false
      }, "\(Format.self): a page's permissions")
    #expect(
      try isKept(Format.self) { table, frames in
        var tlb = NoTLB()
        try table.protect(Self.range, .userReadOnly, &frames, &tlb).ignore()
        return false
      }, "\(Format.self): a range's permissions")
    #expect(
      try isKept(Format.self) { table, _ in
        let unmapped = try table.unmap(Self.page)
        let isDirty = unmapped.isDirty
        _ = unmapped.ignore()
        return isDirty
      }, "\(Format.self): unmapping a page")
    #expect(
      try isKept(Format.self) { table, frames in
        var tlb = NoTLB()
        var isDirty = false
        try table.unmap(Self.range, &frames, &tlb) { isDirty = $0.isDirty }.ignore()
        return isDirty
      }, "\(Format.self): unmapping a range")
    #expect(
      try isKept(Format.self) { table, _ in try table.clearDirty(Self.page).ignore() },
      "\(Format.self): clearing the mark")
  }

  @Test func marksAreKept() throws {
    try expectKept(X86FourLevel.self)
    try expectKept(AArch64Lower.self)
    try expectKept(Sv39.self)
  }
}
