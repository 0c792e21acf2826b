import Addresses
import FirstFitHeap
import LabTestSupport
import MemoryProtocols
import Testing

/// The effect of each operation alone.
@Suite struct FirstFitHeapTests {
  // MARK: Allocation

  @Test func takesTheLowestHoleThatFits() throws {
    let heap = TestHeap()
    var addresses: [VirtAddr] = []
    for byteCount in [100, 10, 300, 10, 200, 10] as [UInt] {
      addresses.append(try #require(heap.allocate(byteCount)))
    }
    for index in [0, 2, 4] { heap.deallocate(addresses[index]) }
    #expect(heap.statistics.holeCount == 4)
    #expect(heap.allocate(290) == addresses[2])
    #expect(heap.allocate(100) == addresses[0])
    #expect(heap.allocate(150) == addresses[4])
    try heap.checkConsistency()
  }

  @Test func blocksCostOneWordAndAtLeast32Bytes() {
    let heap = TestHeap()
    #expect(heap.allocate(24) == heap.first)
    #expect(heap.allocate(25) == heap.first + 32)
    #expect(heap.allocate(40) == heap.first + 80)
    #expect(heap.allocate(0) == heap.first + 128)
    #expect(heap.allocate(0) == heap.first + 160)
    #expect(heap.usable(heap.first) == 24)
    #expect(heap.usable(heap.first + 32) == 40)
  }

  @Test(arguments: [1, 8, 16, 32, 64, 4096, 16384] as [UInt])
  func alignsAsAsked(alignment: UInt) throws {
    let heap = TestHeap()
    _ = heap.allocate(1)
    let address = try #require(heap.allocate(100, alignment: alignment))
    #expect(address.isAligned(to: alignment))
    try heap.checkConsistency()
  }

  @Test(arguments: [UInt.max, UInt.max - 7, UInt.max - 8, UInt.max / 2 + 1, 1 << 47, 1 << 34, 64 << 10])
  func impossibleSizesGetNil(byteCount: UInt) throws {
    let heap = TestHeap()
    let block = try #require(heap.allocate(100))
    for alignment in [1, 64, 1 << 63] as [UInt] {
      #expect(heap.allocate(byteCount, alignment: alignment) == nil)
    }
    #expect(!heap.resize(block, to: byteCount))
    #expect(heap.reallocate(block, to: byteCount) == nil)
    #expect(heap.usable(block) == 104)
    try heap.checkConsistency()
  }

  @Test func anAlignmentLargerThanTheAddressSpaceGetsNil() {
    let heap = TestHeap()
    #expect(heap.allocate(1, alignment: 1 << 63) == nil)
  }

  @Test func aHeapTooSmallToUseIsFull() {
    for byteCount in 0..<72 as Range<UInt> {
      let heap = TestHeap(byteCount: byteCount)
      #expect(heap.allocate(0) == nil)
      #expect(heap.statistics.capacityByteCount == 0)
    }
  }

  // MARK: Resizing

  @Test func growsIntoTheHoleAboveAndShrinksBack() throws {
    let heap = TestHeap()
    let block = try #require(heap.allocate(100))
    let above = try #require(heap.allocate(200))
    _ = heap.allocate(10)
    #expect(!heap.resize(block, to: 105))
    heap.deallocate(above)
    #expect(heap.resize(block, to: 200))
    #expect(heap.usable(block) == 200)
    #expect(heap.resize(block, to: 300))
    #expect(heap.usable(block) == 312)
    #expect(heap.statistics.holeCount == 1)
    #expect(heap.resize(block, to: 20))
    #expect(heap.statistics.holeCount == 2)
    #expect(heap.allocate(200) == block + 32)
    try heap.checkConsistency()
  }

  @Test func growsIntoTheTop() throws {
    let heap = TestHeap()
    let block = try #require(heap.allocate(100))
    #expect(heap.resize(block, to: 60_000))
    #expect(!heap.resize(block, to: 66_000))
    #expect(heap.resize(block, to: 0))
    #expect(heap.statistics.usedByteCount == 32)
    #expect(heap.statistics.peakExtentByteCount == 60_016 + 40)
    try heap.checkConsistency()
  }

  @Test func reallocateMovesTheContentWhenItMust() throws {
    let heap = TestHeap()
    let block = try #require(heap.allocate(100))
    _ = heap.allocate(10)
    for offset in 0..<100 as Range<UInt> { TestMemory.setByte(UInt8(offset), at: block + offset) }
    #expect(heap.reallocate(block, to: 104) == block)
    let moved = try #require(heap.reallocate(block, to: 5000))
    #expect(moved != block)
    let aligned = try #require(heap.reallocate(moved, to: 100, alignment: 4096))
    #expect(aligned.isAligned(to: 4096))
    for offset in 0..<100 as Range<UInt> { #expect(TestMemory.byte(at: aligned + offset) == UInt8(offset)) }
    #expect(heap.reallocate(aligned, to: 1 << 20) == nil)
    #expect(TestMemory.byte(at: aligned + 99) == 99)
    try heap.checkConsistency()
  }

  // MARK: Ranges

  @Test func servesDisjointRangesInAddressOrder() throws {
    let heap = TestHeap(byteCount: 0)
    #expect(heap.allocate(1) == nil)
    #expect(heap.extent == nil)
    let high = heap.start + 40_000
    heap.insert(AddrRange(start: high, byteCount: 4096))
    #expect(heap.allocate(1000) == high + 48)
    heap.insert(AddrRange(start: heap.start, byteCount: 4096))
    #expect(heap.allocate(1000) == heap.first)
    #expect(heap.allocate(3033) == nil)
    #expect(heap.allocate(3000) == heap.first + 1008)
    #expect(heap.allocate(3032) == high + 48 + 1008)
    #expect(heap.extent == AddrRange(start: heap.start, end: high + 4096))
    #expect(heap.blocks.map(\.isFree) == [false, false, true, false, false])
    #expect(heap.blocks.map(\.range.start).isSorted)
    try heap.checkConsistency()
  }

  @Test func aRangeRightAboveAnotherMakesItLonger() throws {
    let heap = TestHeap(byteCount: 4096)
    heap.insert(AddrRange(start: heap.start + 20_000, byteCount: 4096))
    heap.insert(AddrRange(start: heap.start + 4096, byteCount: 10))
    heap.insert(AddrRange(start: heap.start + 4106, byteCount: 4086))
    #expect(heap.allocate(8000) == heap.first)
    #expect(heap.statistics.capacityByteCount == 8192 - 48 + 4096 - 48)
    try heap.checkConsistency()
  }

  @Test func aLongRangeIsTakenAsSeveral() throws {
    let range = FixedMemory.map(byteCount: 40 << 30)
    let heap = TestHeap(byteCount: 0)
    heap.insert(range)
    #expect(heap.allocate(16 << 30) == nil)
    #expect(heap.allocate(15 << 30) == range.start + 48)
    #expect(heap.allocate(15 << 30) == range.start + (16 << 30) + 48)
    #expect(heap.allocate(15 << 30) == nil)
    #expect(heap.allocate(7 << 30) == range.start + (32 << 30) + 48)
    #expect(heap.statistics.capacityByteCount == (40 << 30) - 3 * 48)
    #expect(heap.statistics.peakExtentByteCount == (39 << 30) + 56)
    try heap.checkConsistency()
  }

  @Test func extendsUpwardAndGivesItsTopBack() throws {
    let heap = TestHeap(byteCount: 4096)
    let block = try #require(heap.allocate(4000))
    #expect(heap.allocate(4000) == nil)
    heap.extend(by: 8192)
    let second = try #require(heap.allocate(8000))
    #expect(second == block + 4016)
    #expect(heap.truncate() == nil)
    heap.deallocate(second)
    #expect(heap.truncate() == AddrRange(start: heap.start + 4096, byteCount: 8192))
    #expect(heap.truncate() == nil)
    #expect(heap.allocate(4000) == nil)
    heap.deallocate(block)
    #expect(heap.statistics.freeByteCount == heap.statistics.capacityByteCount)
    try heap.checkConsistency()
  }

  @Test func givesBackTheFreeEndsOfItsRangesAndThoseThatAreWhollyFree() throws {
    let heap = TestHeap(byteCount: 0)
    let starts = [0, 16, 32].map { heap.start + ($0 << 10) }
    for start in starts { heap.insert(AddrRange(start: start, byteCount: 12 << 10)) }
    let blocks = try (0..<3).map { _ in try #require(heap.allocate(10_000)) }
    #expect(heap.truncateRanges() == [])
    heap.deallocate(blocks[1])
    heap.deallocate(blocks[2])
    let low = try #require(heap.allocate(3000))
    #expect(low == starts[1] + 48)
    // Only from the floor on; a range that starts below it is not removed as a whole.
    #expect(heap.truncateRanges(above: starts[2] + 5000) == [AddrRange(start: starts[2] + 8192, byteCount: 4096)])
    #expect(
      heap.truncateRanges() == [
        AddrRange(start: starts[1] + 4096, byteCount: 8192), AddrRange(start: starts[2], byteCount: 8192),
      ])
    #expect(heap.allocate(5000) == nil)
    #expect(heap.extent == AddrRange(start: starts[0], end: starts[1] + 4096))
    heap.insert(AddrRange(start: starts[1] + 4096, byteCount: 4096))
    #expect(heap.allocate(5000) == low + 3008)
    try heap.checkConsistency()
  }

  @Test func tellsHowLongARangeMayBecome() {
    let heap = TestHeap(byteCount: 4096)
    #expect(heap.limit(ofRangeEndingAt: heap.start + 4096) == heap.start + (16 << 30))
    #expect(heap.limit(ofRangeEndingAt: heap.start) == nil)
  }

  @Test func growsTheHighestBlockOfARangeIntoWhatIsInsertedBehind() throws {
    let heap = TestHeap(byteCount: 4096)
    let block = try #require(heap.allocate(1000))
    #expect(heap.top(above: block) == AddrRange(start: block + 1000, end: heap.start + 4096))
    let highest = try #require(heap.allocate(1000))
    #expect(heap.top(above: block) == nil)
    #expect(!heap.resize(highest, to: 8000))
    heap.insert(AddrRange(start: heap.start + 4096, byteCount: 8192))
    #expect(heap.top(above: highest) == AddrRange(start: highest + 1000, end: heap.start + 12288))
    #expect(heap.resize(highest, to: 8000))
    try heap.checkConsistency()
  }

  // MARK: Statistics

  @Test func statisticsCountBytesAndBlocks() throws {
    let heap = TestHeap()
    let capacity: UInt = (64 << 10) - 40 - 8
    let block = try #require(heap.allocate(1000))
    _ = heap.allocate(100)
    heap.deallocate(block)
    var expected = HeapStatistics()
    expected.capacityByteCount = capacity
    expected.usedByteCount = 112
    expected.freeByteCount = capacity - 112
    expected.largestFreeByteCount = capacity - 112 - 1008
    expected.holeCount = 2
    expected.blockCount = 1
    expected.peakUsedByteCount = 1120
    expected.peakExtentByteCount = 1120 + 40
    #expect(heap.statistics == expected)
  }
}

extension [VirtAddr] {
  /// Whether each element is greater than its predecessor.
  fileprivate var isSorted: Bool { zip(self, dropFirst()).allSatisfy { $0 < $1 } }
}
