import Addresses
import FirstFitHeap
import HeapBlocks
import HeapSpaces
import LabTestSupport
import MemoryProtocols
import Testing

@testable import GeneralHeap
@testable import ThreadHeaps

/// What the heap must have counted, from the sizes of its blocks alone.
private struct HeapModel {
  struct Block {
    let address: VirtAddr
    var usableByteCount: UInt
    /// With the header of a block of an arena.
    var occupiedByteCount: UInt
  }

  let rangeStart: VirtAddr
  var blocks: [Block] = []
  var used: UInt = 0
  var peakUsed: UInt = 0
  var peakEnd: VirtAddr

  init(_ range: AddrRange<VirtAddr>) {
    rangeStart = range.start
    peakEnd = range.start
  }

  /// A block of an arena is a multiple of 16 with its header, one of a span without.
  static func occupied(_ usableByteCount: UInt) -> UInt { (usableByteCount + 15) & ~15 }

  mutating func add(_ address: VirtAddr, usableByteCount: UInt) {
    let occupied = HeapModel.occupied(usableByteCount)
    blocks.append(Block(address: address, usableByteCount: usableByteCount, occupiedByteCount: occupied))
    note(occupied, end: address + usableByteCount)
  }

  private mutating func note(_ byteCount: UInt, end: VirtAddr) {
    used += byteCount
    peakUsed = max(peakUsed, used)
    peakEnd = max(peakEnd, end)
  }

  mutating func remove(at index: Int) -> VirtAddr {
    let block = blocks.remove(at: index)
    used -= block.occupiedByteCount
    return block.address
  }

  mutating func resize(at index: Int, usableByteCount: UInt) {
    used -= blocks[index].occupiedByteCount
    blocks[index].usableByteCount = usableByteCount
    blocks[index].occupiedByteCount = HeapModel.occupied(usableByteCount)
    note(blocks[index].occupiedByteCount, end: blocks[index].address + usableByteCount)
  }

  func agrees(with statistics: HeapStatistics) -> Bool {
    statistics.usedByteCount == used && statistics.peakUsedByteCount == peakUsed
      && statistics.blockCount == UInt(blocks.count) && statistics.peakExtentByteCount == peakEnd.raw - rangeStart.raw
      && statistics.freeByteCount == statistics.capacityByteCount - used
      && statistics.largestFreeByteCount <= statistics.freeByteCount
      && (statistics.holeCount == 0) == (statistics.freeByteCount == 0)
  }
}

@Suite("The general heap against a model")
struct GeneralHeapModelTests {
  @Test(
    "The figures are those of the blocks, at every step", arguments: [1, 2, 3] as [UInt64], [300, 40_000, 500_000])
  func statistics(seed: UInt64, largestByteCount: UInt) {
    let memory = TestMemory(byteCount: 24 << 20)
    var heap = GeneralHeap(over: memory.range)
    var model = HeapModel(memory.range)
    var generator = SeededGenerator(seed: seed)
    for step in 0..<3000 {
      let byteCount = UInt.random(in: 0...largestByteCount, using: &generator)
      switch Int.random(in: 0..<10, using: &generator) {
      case 0 where !model.blocks.isEmpty:
        let index = Int.random(in: 0..<model.blocks.count, using: &generator)
        let block = model.blocks[index]
        let isResized = heap.resize(block.address, toByteCount: byteCount)
        let usable = heap.usableByteCount(of: block.address)
        if isResized { model.resize(at: index, usableByteCount: usable) }
        if isResized ? usable < byteCount : usable != block.usableByteCount { Issue.record("step \(step): \(usable)") }
      case 1..<5 where !model.blocks.isEmpty:
        let index = Int.random(in: 0..<model.blocks.count, using: &generator)
        heap.deallocate(model.remove(at: index))
      default:
        guard let block = heap.allocate(byteCount: byteCount, alignment: 16) else { continue }
        model.add(block, usableByteCount: heap.usableByteCount(of: block))
      }
      let isRight = heap.inUseByteCount == model.used && (step % 50 != 0 || model.agrees(with: heap.statistics))
      if !isRight {
        Issue.record("seed \(seed), step \(step): \(heap.statistics), not \(model.used) and \(model.peakUsed)")
        return
      }
    }
    while !model.blocks.isEmpty { heap.deallocate(model.remove(at: model.blocks.count - 1)) }
    let end = heap.statistics
    #expect(model.agrees(with: end) && end.usedByteCount == 0 && end.blockCount == 0)
  }

  @Test("What room and limit of a magazine say is how many blocks it has", arguments: [1, 2, 3] as [UInt64])
  func magazines(seed: UInt64) throws {
    let memory = TestMemory(byteCount: 48 << 20)
    var heap = GeneralHeap(over: memory.range)
    let found = heap.heap
    let threadHeap = try #require(found)
    var generator = SeededGenerator(seed: seed)
    var held: [VirtAddr] = []
    for step in 0..<4000 {
      if held.count < Int.random(in: 0...700, using: &generator) {
        let byteCount = UInt.random(in: 1025...SizeClass.maximumByteCount, using: &generator)
        if let block = heap.allocate(byteCount: byteCount, alignment: 16) { held.append(block) }
      } else {
        heap.deallocate(held.remove(at: Int.random(in: 0..<held.count, using: &generator)))
      }
      guard step % 50 == 49 else { continue }
      for index in SizeClass.firstWithMagazine..<SizeClass.count {
        let sizeClass = SizeClass(index: index)
        let blocks = sequence(first: threadHeap.active(sizeClass)) { FreeBlock($0).next }.prefix { $0 != 0 }
        let count = blocks.reduce(0) { count, _ in count + 1 }
        #expect(count == Int(threadHeap.magazineCount(sizeClass)), "seed \(seed), step \(step), class \(index)")
      }
    }
  }
}
