import Addresses
import Foundation
import LabTestSupport
import Testing

@Suite struct PageTests {
  @Test func sizesAreWhatTheyAreCalled() {
    let sizes: [PageSize] = [.size4KiB, .size2MiB, .size1GiB]
    #expect(sizes.map(\.byteCount) == [4096, 2 << 20, 1 << 30])
    #expect(sizes.map(\.alignment) == sizes.map(\.byteCount))
    #expect(sizes.map(\.order) == [FrameOrder(0), FrameOrder(9), FrameOrder(18)])
    #expect(sizes.map(\.order.byteCount) == sizes.map(\.byteCount))
    #expect(sizes.map(\.smaller) == [nil, .size4KiB, .size2MiB])
    #expect(sizes.sorted() == sizes)
    #expect(sizes.map { "\($0)" } == ["4 KiB", "2 MiB", "1 GiB"])
  }

  @Test(arguments: [PageSize.size4KiB, .size2MiB, .size1GiB])
  func aPageHoldsItsBytesAndNoOthers(size: PageSize) {
    let start = PhysAddr(5 * size.byteCount)
    let page = Page(start: start, size: size)
    #expect(page.byteCount == size.byteCount)
    #expect(page.end == start + size.byteCount)
    #expect(page.range == AddrRange(start: start, end: page.end))
    #expect(page.contains(start) && page.contains(page.end - 1))
    #expect(!page.contains(start - 1) && !page.contains(page.end))
    for address in [start, start + 1, page.end - 1] { #expect(Page(containing: address, size: size) == page) }
    #expect(Page(containing: page.end, size: size).start == page.end)
    #expect(Page(validating: start, size: size) == page)
    #expect(Page(validating: start + 1, size: size) == nil)
    #expect(Page(validating: start + size.byteCount / 2, size: size) == nil)
  }

  @Test func theFirstAndTheLastPageAreThere() {
    #expect(Page(containing: PhysAddr.null).start == .null)
    let last = Page(containing: VirtAddr(.max))
    #expect(last.start.raw == UInt.max - 4095)
    #expect(last.contains(VirtAddr(.max)) && !last.contains(last.start - 1))
  }

  @Test func pagesReadWell() {
    #expect("\(Page(start: PhysAddr(0x20_0000), size: .size2MiB))" == "2 MiB page at 0x200000")
  }

  @Test func aPageThatIsNotAlignedTraps() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = Page(start: PhysAddr(0x1000), size: .size2MiB)
    }
    #expect(text(of: result) == "heaplab: a page must start at a multiple of its size, found: 0x1000\n")
  }

  @Test func theEndOfTheLastPageTraps() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = Page(containing: PhysAddr(.max)).end
    }
    let line = "heaplab: an address plus a byte count must fit the address space: 0xfffffffffffff000\n"
    #expect(text(of: result) == line)
  }
}
