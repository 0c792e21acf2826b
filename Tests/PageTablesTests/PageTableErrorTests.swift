import Addresses
import PageTables
import Testing

/// Triggers every error of every operation and checks its text.
@Suite struct PageTableErrorTests {
  typealias Table = PageTable<X86FourLevel, OffsetPhysMapper>

  static let page = Page(start: VirtAddr(0x40_0000))
  static let large = Page(start: VirtAddr(0x40_0000), size: .size2MiB)
  static let frame = Page(start: PhysAddr(0x40_0000))
  static let largeFrame = Page(start: PhysAddr(0x40_0000), size: .size2MiB)
  static let nonCanonical = Page(start: VirtAddr(0x0000_8000_0000_0000))

  @Test func mapErrors() throws {
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, &frames)
    var tlb = NoTLB()
    try table.map(Self.page, to: Self.frame, .userData, &frames).ignore()
    let before = frames.snapshot()
    #expect(throws: MapError.alreadyMapped) {
      try table.map(Self.page, to: Self.frame, .userData, &frames).ignore()
    }
    #expect(throws: MapError.alreadyMapped) {
      try table.map(Self.large, to: Self.largeFrame, .userData, &frames).ignore()
    }
    #expect(throws: MapError.nonCanonical) {
      try table.map(Self.nonCanonical, to: Self.frame, .userData, &frames).ignore()
    }
    let other = Page(start: VirtAddr(0x4000_0000), size: .size2MiB)
    // Too small, misaligned, past the 52nd bit.
    #expect(throws: MapError.misalignedFrame) { try table.map(other, to: Self.frame, .userData, &frames).ignore() }
    #expect(throws: MapError.misalignedFrame) {
      try table.map(other, to: Page(start: PhysAddr(0x1000)), .userData, &frames).ignore()
    }
    #expect(throws: MapError.misalignedFrame) {
      let tooHigh = Page(start: PhysAddr(1 << 52), size: .size2MiB)
      try table.map(other, to: tooHigh, .userData, &frames).ignore()
    }
    #expect(throws: MapError.notMapped) { try table.updatePermissions(other, .userData).ignore() }
    #expect(throws: MapError.nonCanonical) { try table.updatePermissions(Self.nonCanonical, .userData).ignore() }
    #expect(throws: MapError.notMapped) { try table.split(other, &frames, &tlb) }
    #expect(throws: MapError.unsupportedPageSize(.size4KiB)) { try table.split(Self.page, &frames, &tlb) }
    frames.allocationsLeft = 0
    #expect(throws: MapError.frameAllocationFailed) {
      try table.map(other, to: Self.largeFrame, .userData, &frames).ignore()
    }
    frames.allocationsLeft = nil
    #expect(frames.snapshot() == before)
    try table.map(other, to: Self.largeFrame, .userData, &frames).ignore()
    #expect(throws: MapError.unsupportedPageSize(.size2MiB)) {
      try table.updatePermissions(Page(start: other.start), .userData).ignore()
    }
    #expect(throws: MapError.alreadyMapped) {
      try table.map(Page(start: other.start), to: Self.frame, .userData, &frames).ignore()
    }
    #expect(throws: MapError.frameAllocationFailed) {
      frames.allocationsLeft = 0
      _ = try Table(mapper: frames.mapper, &frames)
    }
  }

  @Test func unmapAndTranslationErrors() throws {
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, &frames)
    var tlb = NoTLB()
    try table.map(Self.large, to: Self.largeFrame, .userData, &frames).ignore()
    #expect(throws: UnmapError.hugePage) { _ = try table.unmap(Self.page).ignore() }
    #expect(throws: UnmapError.notMapped) { _ = try table.unmap(Page(start: .null)).ignore() }
    #expect(throws: UnmapError.notMapped) { _ = try table.unmap(Self.nonCanonical).ignore() }
    #expect(throws: TranslationError.hugePage) { try table.translate(Self.page) }
    #expect(throws: TranslationError.notMapped) { try table.translate(VirtAddr.null) }
    #expect(throws: TranslationError.notMapped) { try table.translate(Self.nonCanonical.start) }
    #expect(try table.translate(Self.large) == Self.largeFrame)
    try table.split(Self.large, &frames, &tlb)
    #expect(throws: UnmapError.notMapped) { _ = try table.unmap(Self.large).ignore() }
    #expect(throws: TranslationError.notMapped) { try table.translate(Self.large) }
    #expect(throws: TranslationError.notMapped) { _ = try table.clearDirty(Self.large).ignore() }
  }

  @Test func aProcessorWithoutGiantPages() throws {
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, largestPage: .size2MiB, &frames)
    let giant = Page(start: VirtAddr(1 << 30), size: .size1GiB)
    let frame = Page(start: PhysAddr(1 << 30), size: .size1GiB)
    #expect(throws: MapError.unsupportedPageSize(.size1GiB)) {
      try table.map(giant, to: frame, .userData, &frames).ignore()
    }
    #expect(throws: UnmapError.unsupportedPageSize(.size1GiB)) { _ = try table.unmap(giant).ignore() }
    try table.map(giant.range, to: frame.start, .userData, &frames).ignore()
    #expect(try table.translate(giant.start).size == .size2MiB)
  }

  @Test func damagedTablesAreNoticed() throws {
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, &frames)
    var tlb = NoTLB()
    // PS is reserved in a PML4 entry (Intel SDM table 4-15).
    frames.write(0x83, at: table.root)
    #expect(throws: MapError.internalError) { try table.map(Self.page, to: Self.frame, .userData, &frames).ignore() }
    #expect(throws: MapError.internalError) { try table.updatePermissions(Self.page, .userData).ignore() }
    #expect(throws: MapError.internalError) { try table.split(Self.large, &frames, &tlb) }
    #expect(throws: RangeError(MapError.internalError, at: Page(start: .null, size: .size1GiB))) {
      try table.map(Self.page.range, to: Self.frame.start, .userData, &frames).ignore()
    }
    #expect(throws: TranslationError.notMapped) { try table.translate(Self.page.start) }
  }

  @Test func rangesNameTheFirstPageInTheWay() throws {
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, &frames)
    var tlb = NoTLB()
    let range = AddrRange(start: VirtAddr(0x20_0000), byteCount: 0x40_0000)
    try table.map(Self.page, to: Self.frame, .userData, &frames).ignore()
    #expect(throws: RangeError(MapError.alreadyMapped, at: Self.page)) {
      try table.map(range, to: PhysAddr(0x1000), .userData, &frames).ignore()
    }
    #expect(throws: RangeError(MapError.misalignedFrame, at: Page(start: range.start))) {
      try table.map(range, to: PhysAddr(0x1001), .userData, &frames).ignore()
    }
    #expect(throws: RangeError(MapError.misalignedFrame, at: Page(start: range.start))) {
      try table.map(range, to: PhysAddr(0xFFFF_FFFF_FFFF_F000), .userData, &frames).ignore()
    }
    // Across the hole between the halves: the hole's first page.
    let across = AddrRange(start: VirtAddr(0x0000_7FFF_FFFF_F000), end: VirtAddr(0xFFFF_8000_0000_1000))
    #expect(throws: RangeError(MapError.nonCanonical, at: Self.nonCanonical)) {
      try table.map(across, to: PhysAddr(0), .userData, &frames).ignore()
    }
    #expect(throws: RangeError(MapError.nonCanonical, at: Self.nonCanonical)) {
      try table.protect(across, .userData, &frames, &tlb).ignore()
    }
    #expect(throws: RangeError(UnmapError.notMapped, at: Self.nonCanonical)) {
      try table.unmap(across, &frames, &tlb) { _ in }.ignore()
    }
    let inside = AddrRange(start: VirtAddr(0x0001_0000_0000_0000), byteCount: 4096)
    #expect(throws: RangeError(MapError.nonCanonical, at: Page(start: inside.start))) {
      try table.cleanUp(inside).ignore()
    }
    #expect(throws: RangeError(MapError.nonCanonical, at: Page(start: inside.start))) {
      try table.join(inside, &tlb)
    }
  }

  @Test func everyErrorReadsWell() {
    let sizes: [PageSize] = [.size4KiB, .size2MiB, .size1GiB]
    let mapErrors: [MapError] = [
      .alreadyMapped, .emptyTable, .partOfRun, .notMapped, .frameAllocationFailed, .misalignedFrame, .nonCanonical,
      .internalError,
    ]
    let texts =
      (mapErrors + sizes.map { .unsupportedPageSize($0) }).map { "\($0)" }
      + ([.notMapped, .hugePage, .unsupportedPageSize(.size1GiB)] as [UnmapError]).map { "\($0)" }
      + ([.notMapped, .hugePage] as [TranslationError]).map { "\($0)" }
    #expect(Set(texts).count == texts.count)
    for text in texts {
      #expect(text.count > 20 && text.contains(" ") && !text.hasSuffix("."), "\(text)")
    }
    let unsupported = "\(MapError.unsupportedPageSize(.size1GiB))"
    #expect(unsupported == "pages of 1 GiB cannot be used there; take another page size")
    #expect(
      "\(RangeError(MapError.alreadyMapped, at: Self.page))"
        == "4 KiB page at 0x400000: a mapping stands there already; unmap it first")
  }
}
