import Addresses
import PageTables
import Testing

@Suite struct PageTablePagesTests {
  typealias Table = PageTable<X86FourLevel, OffsetPhysMapper>

  @Test func mapsTranslatesAndUnmaps() throws {
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, &frames)
    let page = Page(start: VirtAddr(0x7FFF_1234_5000))
    let frame = Page(start: PhysAddr(0xABCD_E000))
    try table.map(page, to: frame, .userData, &frames).ignore()
    let found = try table.translate(VirtAddr(0x7FFF_1234_5678))
    #expect(found.physical == PhysAddr(0xABCD_E678))
    #expect(found.size == .size4KiB)
    #expect(found.permissions == .userData)
    #expect(try table.translate(page) == frame)
    #expect(frames.usedCount == 4)
    try table.updatePermissions(page, .kernelCode).ignore()
    #expect(try table.translate(page.start).permissions == .kernelCode)
    #expect(try table.unmap(page).ignore() == frame)
    #expect(throws: TranslationError.notMapped) { try table.translate(page.start) }
    table.deallocate(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test(arguments: [PageSize.size4KiB, .size2MiB, .size1GiB])
  func mapsEverySize(size: PageSize) throws {
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, &frames)
    let page = Page(start: VirtAddr(0xFFFF_FFFF_C000_0000), size: size)
    let frame = Page(start: PhysAddr(0x8_4000_0000), size: size)
    try table.map(page, to: frame, .kernelData, &frames).ignore()
    #expect(try table.translate(page.start + 0xABC).physical == frame.start + 0xABC)
    #expect(try table.translate(page.start).size == size)
    #expect(try table.unmap(page).ignore() == frame)
    table.deallocateWithKernelHalf(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func mapsTheLastPageOfTheAddressSpace() throws {
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, &frames)
    let page = Page(start: VirtAddr(0xFFFF_FFFF_FFFF_F000))
    try table.map(page, to: Page(start: PhysAddr(0x5000)), .kernelData, &frames).ignore()
    #expect(try table.translate(VirtAddr(.max)).physical == PhysAddr(0x5FFF))
    table.deallocateWithKernelHalf(&frames)
    #expect(frames.usedCount == 0)
  }
}
