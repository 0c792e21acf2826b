import Addresses
import FirstFitHeap
import LabTestSupport
import Testing

/// Each test damages one thing, and the consistency check must find it.
@Suite struct FirstFitHeapConsistencyTests {
  /// A heap with three holes of 112, 128 and 144 bytes between blocks in use: the middle one is the index's root.
  private func makeHeap() throws -> (heap: TestHeap, holes: [VirtAddr]) {
    let heap = TestHeap()
    var holes: [VirtAddr] = []
    for byteCount in [100, 120, 130] as [UInt] {
      holes.append(try #require(heap.allocate(byteCount)))
      _ = heap.allocate(10)
    }
    for hole in holes { heap.deallocate(hole) }
    try heap.checkConsistency()
    return (heap, holes.map { $0 - 8 })
  }

  /// Writes 32 bits at an offset from an address and expects the finding.
  private func expect(
    _ finding: HeapInconsistency, after field: UInt32, at address: VirtAddr, in heap: TestHeap,
    _ location: SourceLocation = #_sourceLocation
  ) {
    TestMemory.setField(field, at: address)
    do {
      try heap.checkConsistency()
      Issue.record("nothing found", sourceLocation: location)
    } catch {
      #expect(error == finding, sourceLocation: location)
    }
  }

  @Test func anOverwrittenHeader() throws {
    let (heap, holes) = try makeHeap()
    expect(.overwrittenHeader(holes[1]), after: 0x4141_4141, at: holes[1], in: heap)
  }

  @Test func aHoleWithTwoSizes() throws {
    let (heap, holes) = try makeHeap()
    expect(.differentSizes(holes[0]), after: 9, at: holes[0] + 112 - 12, in: heap)
  }

  @Test func aBrokenParentLink() throws {
    let (heap, holes) = try makeHeap()
    expect(.brokenLink(holes[0] + 112 - 24), after: 0, at: holes[0] + 112 - 4, in: heap)
  }

  @Test func aHoleThatTheIndexLost() throws {
    let (heap, holes) = try makeHeap()
    expect(.wrongIndex(holes[1] + 128 - 24), after: 0, at: holes[1] + 128 - 24, in: heap)
  }

  @Test func aLinkOutOfTheRange() throws {
    let (heap, holes) = try makeHeap()
    expect(
      .brokenLink(VirtAddr(heap.start.raw - 16 + 16 * 0x100_0000)), after: 0x100_0000,
      at: holes[1] + 128 - 24, in: heap)
  }

  @Test func aWrongMaximum() throws {
    let (heap, holes) = try makeHeap()
    expect(.wrongLargest(holes[1] + 128 - 24), after: 8, at: holes[1] + 128 - 16, in: heap)
  }

  @Test func aWrongBalance() throws {
    let (heap, holes) = try makeHeap()
    expect(.wrongBalance(holes[1] + 128 - 24), after: 1, at: holes[1] + 128 - 4, in: heap)
  }

  @Test func aDamagedRecord() throws {
    let (heap, _) = try makeHeap()
    expect(.damagedRange(heap.start), after: 0xFFFF_FFF8, at: heap.start, in: heap)
  }
}
