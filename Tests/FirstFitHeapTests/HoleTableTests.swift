import Addresses
import FirstFitHeap
import LabTestSupport
import Testing

/// The table of a range: its size, what it does beyond the first range, and what a check finds in a damaged one.
@Suite struct HoleTableTests {
  private static let rangeByteCount: UInt = 256 << 10

  /// The bytes of the table of a range of 256 KiB: a head, two times 256 stretches, a group above their eight.
  private static let tableByteCount: UInt = 64 + 2 * 256 + 32

  /// A heap with holes of 112, 128 and 4016 bytes between blocks in use; the first two end in the same stretch.
  private func makeHeap() throws -> (heap: TestHeap, holes: [VirtAddr]) {
    let heap = TestHeap(byteCount: Self.rangeByteCount, of: Self.rangeByteCount, search: .table)
    var holes: [VirtAddr] = []
    for byteCount in [100, 120, 4000] as [UInt] {
      holes.append(try #require(heap.allocate(byteCount)))
      _ = heap.allocate(10)
    }
    for hole in holes { heap.deallocate(hole) }
    try heap.checkConsistency()
    return (heap, holes.map { $0 - 8 })
  }

  /// Writes a byte and expects that the check finds the table wrong.
  private func expectFinding(
    after byte: UInt8, at address: VirtAddr, in heap: TestHeap, _ location: SourceLocation = #_sourceLocation
  ) {
    TestMemory.setByte(byte, at: address)
    do {
      try heap.checkConsistency()
      Issue.record("nothing found", sourceLocation: location)
    } catch {
      guard case .wrongTable = error else {
        Issue.record("\(error)", sourceLocation: location)
        return
      }
    }
  }

  @Test func liesBetweenTheRecordAndTheFirstBlock() throws {
    #expect(BlockLayout.tableByteCount(forRangeOf: Self.rangeByteCount) == Self.tableByteCount)
    #expect(BlockLayout.tableByteCount(forRangeOf: (128 << 10) - 1) == 0)
    let heap = TestHeap(byteCount: Self.rangeByteCount, of: Self.rangeByteCount, search: .table)
    #expect(heap.allocate(10) == heap.first + Self.tableByteCount)
  }

  @Test func takesOneFiveHundredthOfARange() {
    for shift in 17...34 as ClosedRange<UInt> {
      let byteCount = BlockLayout.tableByteCount(forRangeOf: 1 << shift)
      #expect(byteCount >= 1 << shift / 512)
      #expect(byteCount <= 1 << shift / 500 + 128)
    }
  }

  @Test func keepsItsSizeWhenTheRangeGrows() throws {
    let heap = TestHeap(byteCount: Self.rangeByteCount, of: 2 * Self.rangeByteCount, search: .table)
    heap.extend(by: Self.rangeByteCount)
    var blocks: [VirtAddr] = []
    while let block = heap.allocate(100) { blocks.append(block) }
    for index in stride(from: 0, to: blocks.count, by: 2) { heap.deallocate(blocks[index]) }
    try heap.checkConsistency()
    // All holes in the table's part, then those above it.
    for index in stride(from: 0, to: blocks.count, by: 2) { #expect(heap.allocate(100) == blocks[index]) }
    #expect(heap.allocate(100) == nil)
  }

  @Test func aWrongMaximumOfAStretch() throws {
    let (heap, _) = try makeHeap()
    expectFinding(after: 100, at: heap.start + 40 + 64, in: heap)
  }

  @Test func aWrongMaximumAbove() throws {
    let heap = TestHeap(byteCount: Self.rangeByteCount, of: Self.rangeByteCount, search: .table)
    // Beyond 32 stretches, so that level 1 is in use.
    for _ in 0..<60 { _ = heap.allocate(1000) }
    try heap.checkConsistency()
    expectFinding(after: 3, at: heap.start + 40 + 64 + 512, in: heap)
  }

  @Test func aWrongHead() throws {
    let (heap, _) = try makeHeap()
    let stretch = (heap.first.raw + Self.tableByteCount + 112 - heap.start.raw) / 1024
    expectFinding(after: 63, at: heap.start + 40 + 64 + 256 + stretch, in: heap)
  }

  @Test func aBrokenList() throws {
    let (heap, holes) = try makeHeap()
    expectFinding(after: 1, at: holes[0] + 112 - 24, in: heap)
  }

  @Test func aWrongLayout() throws {
    let (heap, _) = try makeHeap()
    expectFinding(after: 65, at: heap.start + 40 + 8, in: heap)
  }
}
