import Addresses
import LabTestSupport
import MemoryRegions
import Testing

@testable import HeapSpaces

@Suite struct HeapReservationTests {
  private let page = SystemPages.byteCount

  private func byte(_ address: UInt) -> UInt8 { TestMemory.byte(at: VirtAddr(address)) }
  private func setByte(_ value: UInt8, _ address: UInt) { TestMemory.setByte(value, at: VirtAddr(address)) }

  @Test(
    "A range that is only chosen is far from other mappings, takes no address space, and is mapped where it is committed"
  )
  func chosen() throws {
    let mapping = try SystemPages.map(byteCount: page)
    var range = try #require(HeapReservation.make(byteCount: 1 << 36, reserves: false))
    #expect(!range.isReserved && range.byteCount == 1 << 36 && range.base.isMultiple(of: 1 << 21))
    #expect(range.end < mapping / 4 * 3 && range.base > mapping / 16)
    // The macro takes no mutation.
    func commits(_ number: UInt, _ count: UInt) -> Bool {
      range.commit(range.base + number * page, byteCount: count * page) == .done
    }
    #expect(commits(1, 2))
    #expect(byte(range.base + 2 * page) == 0)
    setByte(9, range.base + 2 * page)
    #expect(!commits(2, 2), "what is mapped there stays")
    #expect(byte(range.base + 2 * page) == 9)
    #expect(throws: SystemError.self, "nothing is mapped before it is committed") {
      try SystemPages.commit(range.base + 3 * page, byteCount: page)
    }
    #expect(commits(3, 2))
    range.abandon(from: range.base, to: range.base + 4 * page)
    #expect(byte(range.base + 2 * page) == 9)
    #expect(commits(3, 1), "of what was committed last that part was given back")
    try SystemPages.unmap(range.base + page, byteCount: 4 * page)
    let other = try #require(HeapReservation.make(byteCount: 1 << 36, reserves: true))
    #expect(other.isReserved)
    #expect(throws: SystemError.self) { try SystemPages.map(at: other.base, byteCount: page) }
    other.release()
    try SystemPages.unmap(mapping, byteCount: page)
  }
}
