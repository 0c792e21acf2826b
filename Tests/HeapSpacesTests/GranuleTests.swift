import HeapBlocks
import LabTestSupport
import Testing

@testable import HeapSpaces

@Suite("Granules and their pages")
struct GranuleTests {
  /// The pages that bytes overlap, byte by byte at every page's first and last one.
  private static func plainMask(offset: UInt32, byteCount: UInt32) -> UInt16 {
    (UInt32(0)..<16).reduce(0) { mask, page in
      let overlaps = offset < (page + 1) * 4096 && offset + byteCount > page * 4096
      return overlaps ? mask | 1 << UInt16(page) : mask
    }
  }

  @Test("The pages of every block of every class")
  func masksOfBlocks() {
    for index in 0..<SizeClass.count {
      let byteCount = UInt32(SizeClass(index: index).blockByteCount)
      for offset in stride(from: 0, through: 65536 - byteCount, by: Int(byteCount)) {
        let mask = Granule.pageMask(offset: offset, byteCount: byteCount)
        if mask != Self.plainMask(offset: offset, byteCount: byteCount) {
          Issue.record("\(byteCount) bytes at \(offset): \(mask)")
        }
      }
    }
  }

  @Test("The pages of any part of a granule, around every page's borders")
  func masksOfParts() {
    let borders = (UInt32(0)...16).flatMap { page in [-16, -1, 0, 1, 16].map { Int32(page * 4096) + $0 } }
    let places = borders.filter { 0...65536 ~= $0 }.map { UInt32($0) }
    for start in places {
      for end in places where end > start {
        let mask = Granule.pageMask(offset: start, byteCount: end - start)
        if mask != Self.plainMask(offset: start, byteCount: end - start) { Issue.record("\(start)..<\(end): \(mask)") }
      }
    }
  }

  @Test("The runs of pages in every mask")
  func runs() {
    for pages in UInt16.min...UInt16.max {
      var seen: UInt16 = 0
      var end: UInt = 0
      var isFirst = true
      Granule.forEachRun(in: pages) { offset, byteCount in
        // Ascending, whole pages, and with a gap before: no two runs make one.
        let isApart = isFirst || offset > end
        if !isApart || byteCount == 0 || offset % 4096 != 0 || byteCount % 4096 != 0 { Issue.record("\(pages)") }
        for page in offset / 4096..<(offset + byteCount) / 4096 { seen |= 1 << UInt16(page) }
        end = offset + byteCount
        isFirst = false
      }
      if seen != pages { Issue.record("\(pages): the runs have \(seen)") }
    }
  }

  @Test("Every use is stored and read, and three of them are spans")
  func uses() throws {
    let memory = try #require(MemorySpace(byteCount: 1 << 20))
    let granule = try #require(memory.space.allocateGranule())
    #expect(granule.use == .reserved)
    let uses: [GranuleUse] = [.free, .reserved, .fullSpan, .currentSpan, .availableSpan, .arena, .metadata]
    for use in uses {
      granule.use = use
      #expect(granule.use == use)
    }
    #expect(uses.filter(\.isSpan) == [.fullSpan, .currentSpan, .availableSpan])
  }
}
