import Addresses
import HeapBlocks
import HeapSpaces
import LabTestSupport
import Testing

@testable import ThreadHeaps

@Suite("What a heap has at hand")
struct StatisticsTests {
  @Test("Every block that nobody holds and its span counts as live, wherever it waits", arguments: [1, 2] as [UInt64])
  func listed(seed: UInt64) throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make(largeByteCount: 8 << 20)
    let other = try heaps.make(largeByteCount: 8 << 20)
    var generator = SeededGenerator(seed: seed)
    var held: [UInt] = []
    for step in 0..<4000 {
      if held.count < Int.random(in: 0...500, using: &generator) {
        held.append(try heap.allocate(UInt.random(in: 0...SizeClass.maximumByteCount, using: &generator) >> 3))
      } else {
        let block = held.remove(at: Int.random(in: 0..<held.count, using: &generator))
        (step % 3 == 0 ? other : heap).deallocate(block)
      }
      guard step % 200 == 199 else { continue }
      let live = heaps.spans(of: heap).reduce(0) { $0 + Self.liveByteCount($1) }
      let heldByteCount = held.reduce(0) { $0 + UInt(heaps.span(of: $1).blockByteCount) }
      #expect(live - heap.listedByteCount - other.listedByteCount == heldByteCount, "seed \(seed), step \(step)")
    }
  }

  private static func liveByteCount(_ span: BlockSpan) -> UInt {
    let remote = RemoteList(word: span.fields.remote.load(ordering: .relaxed)).count
    return (UInt(span.carvedCount) - UInt(span.freeCount) - remote) * UInt(span.blockByteCount)
  }

  @Test("The count of an active list ends where its holder wrote over it")
  func activeCount() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    let sizeClass = SizeClass(fitting: 512)
    let span = heaps.span(of: try heap.allocate(512))
    #expect(heap.activeCount(sizeClass, in: span) == 7)
    let blocks = heap.activeBlocks(sizeClass)
    FreeBlock(blocks[4]).markWord = 0
    #expect(heap.activeCount(sizeClass, in: span) == 4)
    for garbage in [1, blocks[2] + 16, .max] as [UInt] {
      FreeBlock(blocks[2]).next = garbage
      #expect(heap.activeCount(sizeClass, in: span) == 3)
    }
    FreeBlock(blocks[2]).next = blocks[0]
    #expect(heap.activeCount(sizeClass, in: span) == 8, "in a circle no more than were carved")
  }

  @Test(
    "A map of free blocks shows what is on the span's list, and what lies over its absent pages",
    arguments: [16, 320, 1100, 3000])
  func map(byteCount: UInt) throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    let size = SizeClass(fitting: byteCount).blockByteCount
    let blocks = try heap.allocate(size, count: 3)
    let span = heaps.span(of: blocks[0])
    let start = heaps.space.start(of: span.granule)
    _ = span.push(FreeBlock(blocks[1]))
    var map = FreeBlockMap(of: span, start: start)
    for number in 0..<span.capacity {
      #expect(map[number] == (number == 1 || !span.isPresent(start + number * size)), "block \(number)")
    }
    map.mark(listFrom: heap.active(SizeClass(fitting: size)))
    #expect((0..<span.capacity).filter { !map[$0] } == [0, 2])
  }
}
