import Addresses
import LabTestSupport
import Testing

@testable import GeneralHeap

@Suite("What the heap asks of the system")
struct SystemPagesTests {
  private let page = SystemPages.byteCount

  private func byte(_ address: UInt) -> UInt8 { TestMemory.byte(at: VirtAddr(address)) }
  private func setByte(_ value: UInt8, _ address: UInt) { TestMemory.setByte(value, at: VirtAddr(address)) }

  @Test("Reserved pages are aligned, committed on request, and read as zeros after they were given back")
  func reserved() throws {
    let byteCount = 16 * page
    let base = try #require(SystemPages.reserve(byteCount: byteCount, alignment: 1 << 21))
    #expect(base.isMultiple(of: 1 << 21))
    #expect(SystemPages.commit(base + page, byteCount: 2 * page))
    setByte(7, base + page)
    setByte(8, base + 3 * page - 1)
    #expect(SystemPages.decommit(base + page, byteCount: 2 * page))
    #expect(byte(base + page) == 0 && byte(base + 3 * page - 1) == 0)
    SystemPages.unmap(base, byteCount: byteCount)
    #expect(!SystemPages.commit(base, byteCount: page), "what was given back is nobody's")
  }

  @Test("A mapping keeps its content when it grows and shrinks")
  func resized() throws {
    var block = try #require(SystemPages.map(byteCount: 4 * page, alignment: 1 << 16))
    #expect(block.isMultiple(of: 1 << 16))
    for number in 0..<4 { setByte(UInt8(number + 1), block + UInt(number) * page) }
    block = try #require(SystemPages.resize(block, byteCount: 4 * page, to: 600 * page))
    for number in 0..<4 { #expect(byte(block + UInt(number) * page) == number + 1) }
    #expect(byte(block + 599 * page) == 0)
    block = try #require(SystemPages.resize(block, byteCount: 600 * page, to: 2 * page))
    #expect(byte(block + page) == 2)
    SystemPages.unmap(block, byteCount: 2 * page)
  }

  @Test(
    "A range that is only chosen is far from other mappings, takes no address space, and is mapped where it is committed"
  )
  func chosen() throws {
    let mapping = try #require(SystemPages.map(byteCount: page))
    var range = try #require(HeapReservation.make(byteCount: 1 << 36, reserves: false))
    #expect(!range.isReserved && range.byteCount == 1 << 36 && range.base.isMultiple(of: 1 << 21))
    #expect(range.end < mapping / 4 * 3 && range.base > mapping / 16)
    // The macro takes no mutation.
    func commits(_ number: UInt, _ count: UInt) -> Bool {
      range.commit(range.base + number * page, byteCount: count * page)
    }
    #expect(commits(1, 2))
    #expect(byte(range.base + 2 * page) == 0)
    setByte(9, range.base + 2 * page)
    #expect(!commits(2, 2), "what is mapped there stays")
    #expect(byte(range.base + 2 * page) == 9)
    #expect(!SystemPages.commit(range.base + 3 * page, byteCount: page), "nothing is mapped before it is committed")
    #expect(commits(3, 2))
    range.abandon(from: range.base, to: range.base + 4 * page)
    #expect(byte(range.base + 2 * page) == 9)
    #expect(commits(3, 1), "of what was committed last that part was given back")
    SystemPages.unmap(range.base + page, byteCount: 4 * page)
    let other = try #require(HeapReservation.make(byteCount: 1 << 36, reserves: true))
    #expect(other.isReserved && !SystemPages.map(at: other.base, byteCount: page))
    other.release()
    SystemPages.unmap(mapping, byteCount: page)
  }

  @Test("What the system has not got is nil")
  func refused() {
    #expect(SystemPages.map(byteCount: 1 << 62) == nil)
    #expect(SystemPages.reserve(byteCount: 1 << 62, alignment: 1 << 21) == nil)
    #expect(SystemPages.map(byteCount: UInt.max & ~4095, alignment: 1 << 21) == nil, "the slack must not overflow")
  }
}
