import Addresses
import FirstFitHeap
import LabTestSupport
import Testing

/// The table of a range: its size, what it does beyond the first range, and what a check finds in a damaged one.
@Suite struct HoleTableTests {
  private static let rangeByteCount: UInt = 256 << 10

  /// The bytes of the table of a range of 256 KiB: a head, the bits of 256 stretches, a group that ends with the parent of
  /// the root, a group of inner bytes, 256 leaves, and what makes it a multiple of 16.
  private static let tableByteCount: UInt = 24 + 8 * 256 + 32 + 32 + 256 + 8

  /// Where the bits, the inner bytes and the leaves begin, from the start of the range.
  private static let bits: UInt = 64
  private static let inner = bits + 8 * 256 + 32
  private static let leaves = inner + 32

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

  @Test func takesAboutOneHundredAndTenthOfARange() {
    for shift in 17...34 as ClosedRange<UInt> {
      let byteCount = BlockLayout.tableByteCount(forRangeOf: 1 << shift)
      #expect(byteCount >= 1 << shift / 114)
      #expect(byteCount <= 1 << shift / 107 + 128)
      // A group more than a power of 32: the level above the leaves is nearly empty.
      let least = (1 << shift) + (32 << 10)
      #expect(BlockLayout.tableByteCount(forRangeOf: UInt(least)) <= UInt(least) / 102 + 128)
    }
  }

  @Test(arguments: [(128 << 10) + 1, (128 << 10) + 8, (128 << 10) + 15, (160 << 10) + 8] as [UInt])
  func isIntactInARangeOfNoWholeGranules(rangeByteCount: UInt) throws {
    let heap = TestHeap(byteCount: 256 << 10, of: rangeByteCount, search: .table)
    let block = try #require(heap.allocate(100))
    _ = heap.allocate(100)
    heap.deallocate(block)
    try heap.checkConsistency()
  }

  @Test(arguments: [FirstFitSearch.tree, .table])
  func aHoleAsABlockIsLargeEnough(search: FirstFitSearch) throws {
    let heap = TestHeap(byteCount: Self.rangeByteCount, of: Self.rangeByteCount, search: search)
    #expect(heap.allocateHole(ofAtLeast: 0) == nil, "there is none")
    let block = try #require(heap.allocate(127 * 16 - 8))
    _ = heap.allocate(8)
    heap.deallocate(block)
    #expect(heap.allocateHole(ofAtLeast: 127 * 16 + 1) == nil)
    #expect(heap.allocateHole(ofAtLeast: 127 * 16 - 15) == block)
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
    expectFinding(after: 100, at: heap.start + Self.leaves, in: heap)
  }

  @Test func aWrongMaximumAbove() throws {
    let heap = TestHeap(byteCount: Self.rangeByteCount, of: Self.rangeByteCount, search: .table)
    // Beyond 32 stretches, so that the inner level is in use.
    for _ in 0..<60 { _ = heap.allocate(1000) }
    try heap.checkConsistency()
    expectFinding(after: 3, at: heap.start + Self.inner, in: heap)
  }

  @Test func aMaximumAboveTheRoot() throws {
    let (heap, _) = try makeHeap()
    expectFinding(after: 0, at: heap.start + Self.inner, in: heap)
  }

  @Test func aMissingBit() throws {
    let (heap, holes) = try makeHeap()
    let granule = (holes[0].raw + 112 - heap.start.raw) / 16
    expectFinding(after: 0, at: heap.start + Self.bits + granule / 8, in: heap)
  }

  @Test func aBitWithoutAHole() throws {
    let (heap, holes) = try makeHeap()
    let granule = (holes[0].raw - heap.start.raw) / 16
    expectFinding(after: 0xFF, at: heap.start + Self.bits + granule / 8, in: heap)
  }

  @Test func aWrongLayout() throws {
    let (heap, _) = try makeHeap()
    expectFinding(after: 65, at: heap.start + 40 + 8, in: heap)
  }
}
