import Addresses
import Testing

@Suite struct PageSequenceTests {
  @Test func onlyWholePagesAreVisitedInOrder() {
    let range = AddrRange(start: PhysAddr(0x1001), end: PhysAddr(0x5FFF))
    #expect(range.pages().count == 3)
    #expect(range.pages().map(\.start.raw) == [0x2000, 0x3000, 0x4000])
    #expect(range.pages().allSatisfy { $0.size == .size4KiB })
    #expect(range.pages(.size2MiB).count == 0)
  }

  @Test func anAlignedRangeIsVisitedWhole() {
    let range = AddrRange(start: PhysAddr(0x20_0000), byteCount: 6 << 20)
    #expect(range.pages(.size2MiB).map(\.start.raw) == [0x20_0000, 0x40_0000, 0x60_0000])
    var pages = range.pages(.size2MiB)
    #expect(pages.next()?.start == range.start)
    #expect(pages.count == 2)
    #expect(pages.underestimatedCount == 2)
  }

  @Test func anEmptyRangeHasNoPages() {
    var pages = AddrRange(start: PhysAddr(0x1000), byteCount: 0).pages()
    #expect(pages.next() == nil)
    #expect(pages.next() == nil)
  }

  @Test func aRangeAtTheEndOfTheAddressSpaceEndsBeforeItsLastPage() {
    // The end of the last page is no address, so no range contains that page.
    let range = AddrRange(start: PhysAddr(.max - 0x2FFF), end: PhysAddr(.max))
    #expect(range.pages().map(\.start.raw) == [.max - 0x2FFF, .max - 0x1FFF])
  }
}
