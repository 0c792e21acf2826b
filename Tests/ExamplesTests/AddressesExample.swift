import Addresses
import Testing

@Suite struct AddressesExample {
  @Test func pagesOfARange() {
    // BEGIN
    let memory = AddrRange(start: PhysAddr(0x10_1000), byteCount: 8 << 20)
    var largePages: [Page<PhysAddr>] = []
    for page in memory.pages(.size2MiB) { largePages.append(page) }  // only whole pages, at multiples of 2 MiB
    let isOutside = Page(containing: memory.start, size: .size2MiB).start < memory.start
    // END
    #expect(largePages.map(\.start) == [PhysAddr(2 << 20), PhysAddr(4 << 20), PhysAddr(6 << 20)])
    #expect(isOutside)
  }
}
