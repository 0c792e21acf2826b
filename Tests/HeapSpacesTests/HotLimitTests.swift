import HeapBlocks
import LabTestSupport
import Testing

@testable import HeapSpaces

@Suite("Which blocks of a span the hot path takes frees of")
struct HotLimitTests {
  /// A granule of a space over a caller's memory, as a span.
  private static func withSpan(_ body: (BlockSpan, _ start: UInt) throws -> Void) throws {
    let memory = TestMemory(byteCount: 1 << 20)
    let range = memory.range.alignedInward(to: Granule.byteCount)
    let space = try #require(HeapSpace.create(base: range.start.raw, byteCount: range.byteCount))
    let granule = try #require(space.allocateGranule())
    let start = space.start(of: granule)
    // The memory may hold marks of other tests' blocks.
    for offset in stride(from: UInt(0), to: Granule.byteCount - 8, by: 8) { FreeBlock(start + offset).markWord = 0 }
    try body(granule.span, start)
  }

  @Test("Exactly the blocks below the first absent page, for every class and every page")
  func carvedBlocks() throws {
    try Self.withSpan { span, start in
      for sizeClass in (0..<SizeClass.count).map(SizeClass.init(index:)) {
        span.begin(sizeClass)
        let size = sizeClass.blockByteCount
        for presentCount in UInt(0)...16 {
          span.setAbsentPages(UInt16.max << UInt16(presentCount))
          for offset in stride(from: UInt(0), to: Granule.byteCount, by: 8) {
            let isWanted = offset % size == 0 && offset + size <= presentCount << 12
            if span.isInUse(FreeBlock(start + offset)) != isWanted {
              Issue.record("blocks of \(size), \(presentCount) pages, offset \(offset)")
            }
          }
        }
      }
    }
  }

  @Test("Not those above an absent page, present ones neither")
  func holes() throws {
    try Self.withSpan { span, start in
      span.begin(SizeClass(fitting: 64))
      for absent in [1, 0x7FFF, 0x00F0, 0xFFFE & ~0x0100] as [UInt16] {
        span.setAbsentPages(absent)
        for offset in stride(from: UInt(0), to: Granule.byteCount, by: 64) {
          let firstAbsent = UInt(absent.trailingZeroBitCount)
          #expect(span.isInUse(FreeBlock(start + offset)) == (offset < firstAbsent << 12))
          let isPresent = absent & 1 << UInt16(offset >> 12) == 0
          #expect(span.isInUseAfterPurge(FreeBlock(start + offset)) == isPresent)
        }
      }
    }
  }

  @Test("No address inside a block, for every offset", arguments: [16, 48, 112, 448, 1792, 20480, 32768] as [UInt])
  func interior(byteCount: UInt) throws {
    try Self.withSpan { span, start in
      let sizeClass = SizeClass(fitting: byteCount)
      span.begin(sizeClass)
      span.setAbsentPages(0)
      for offset in 0..<Granule.byteCount - 16 {
        let isWanted = offset % sizeClass.blockByteCount == 0 && offset + sizeClass.blockByteCount <= Granule.byteCount
        let block = FreeBlock(start + offset)
        let found = (span.isInUse(block), span.isInUseAfterPurge(block))
        if found != (isWanted, isWanted) { Issue.record("offset \(offset)") }
      }
    }
  }
}
