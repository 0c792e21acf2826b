import HeapBlocks
import HeapSpaces
import LabTestSupport
import Testing

@testable import ThreadHeaps

@Suite("Magazines")
struct MagazineTests {
  private static let classes = (SizeClass.firstWithMagazine..<SizeClass.count).map { SizeClass(index: $0) }

  /// How many blocks a magazine may hold: what it counts, and its room.
  private static func limit(_ heap: ThreadHeap, _ sizeClass: SizeClass) -> Int {
    Int(heap.magazineCount(sizeClass)) + Int(heap.room(sizeClass))
  }

  /// The classes in which the count that follows from room and limit is not that of the blocks.
  private static func miscounted(_ heap: ThreadHeap) -> [SizeClass] {
    classes.filter { heap.activeBlocks($0).count != Int(heap.magazineCount($0)) }
  }

  @Test("Room and blocks make the limit, whatever is allocated and freed", arguments: [1, 2, 3] as [UInt64])
  func invariant(seed: UInt64) throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make(largeByteCount: 8 << 20)
    let other = try heaps.make(largeByteCount: 8 << 20)
    var generator = SeededGenerator(seed: seed)
    var held: [UInt] = []
    for step in 0..<6000 {
      let isFull = held.count > Int.random(in: 0...800, using: &generator)
      if !isFull {
        held.append(try heap.allocate(UInt.random(in: 1025...32768, using: &generator)))
      } else {
        let block = held.remove(at: Int.random(in: 0..<held.count, using: &generator))
        (Int.random(in: 0..<4, using: &generator) == 0 ? other : heap).deallocate(block)
      }
      if step % 100 == 99 { try #require(Self.miscounted(heap).isEmpty, "seed \(seed), step \(step)") }
      if step % 2000 == 1999 { heap.purge(.demand) }
    }
    heap.deallocate(held)
    #expect(Self.miscounted(heap).isEmpty)
    other.flushOutgoing()
    heap.collectIncoming()
    heap.releaseEmptySpans()
    other.releaseEmptySpans()
    #expect(heaps.spans(of: heap).isEmpty && heaps.hasTrueAccount(heap), "nobody holds a block")
    #expect(heaps.space.arenaUsedByteCount == 0)
  }

  @Test("A freed block is the next one that its class hands out, whatever span it is of")
  func lastFirst() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    let blocks = try heap.allocate(4000, count: 34)
    #expect(heaps.span(of: blocks[0]) != heaps.span(of: blocks[33]))
    let sizeClass = SizeClass(fitting: 4000)
    while heap.popActive(sizeClass) != 0 {}
    heap.setRoom(sizeClass, 7)
    let freed = [blocks[0], blocks[33], blocks[5]]
    heap.deallocate(freed)
    #expect(heap.activeBlocks(sizeClass) == freed.reversed())
    #expect(heaps.span(of: blocks[0]).freeCount == 0, "to its span a block in a magazine is live")
    #expect(try heap.allocate(4000, count: 3) == freed.reversed())
  }

  /// The bytes that the magazines may hold by their limits.
  private static func limitByteCount(_ heap: ThreadHeap) -> Int {
    classes.reduce(0) { $0 + limit(heap, $1) * Int($1.blockByteCount) }
  }

  @Test("Magazines grow where frees and requests alternate, and all together hold no more than their share")
  func growTogether() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    for sizeClass in Self.classes {
      var blocks = try heap.allocate(sizeClass.blockByteCount, count: 40)
      for _ in 0..<40 {
        heap.deallocate(blocks)
        blocks = try heap.allocate(sizeClass.blockByteCount, count: 40)
      }
      #expect(Self.limitByteCount(heap) == Int(heap.fields.magazinesByteCount))
      #expect(heap.fields.magazinesByteCount <= 32 << 10 + heap.share)
    }
    #expect(Self.limitByteCount(heap) > 1 << 20)
    #expect(Self.miscounted(heap).isEmpty)
  }

  @Test("When the share is used up, a magazine that could grow takes from another")
  func takesFromAnother() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    func alternate(_ byteCount: UInt) throws {
      var blocks = try heap.allocate(byteCount, count: 20)
      for _ in 0..<60 {
        heap.deallocate(blocks)
        blocks = try heap.allocate(byteCount, count: 20)
      }
      heap.deallocate(blocks)
    }
    let (first, second) = (SizeClass(fitting: 2048), SizeClass(fitting: 4096))
    try alternate(2048)
    let before = Self.limit(heap, first)
    #expect(before > 0)
    try alternate(4096)
    #expect(Self.limit(heap, first) < before && Self.limit(heap, second) > 0)
    #expect(Self.miscounted(heap).isEmpty)
  }

  @Test(
    "A class above a page begins in an arena, and gets a span for half a span of blocks, among many heaps for four",
    arguments: [(heaps: 1, halves: 1), (heaps: 8, halves: 3), (heaps: 40, halves: 8)])
  func earnsSpan(heapCount: Int, halfSpanCount: UInt) throws {
    for byteCount in [5000, 9000, 20_000, 32_768] as [UInt] {
      let heaps = try TestHeaps()
      let heap = try heaps.make()
      for _ in 1..<heapCount { _ = try heaps.make() }
      let sizeClass = SizeClass(fitting: byteCount)
      let blocks = try heap.allocate(byteCount, count: 80)
      let isInArena = blocks.map { heaps.space.granuleUnchecked(around: $0).use == .arena }
      let earned = Granule.byteCount / 2 * halfSpanCount
      let count = Int((earned + sizeClass.blockByteCount - 1) / sizeClass.blockByteCount)
      #expect(isInArena == (0..<80).map { $0 < count }, "\(byteCount)")
      heap.deallocate(blocks)
      heap.releaseEmptySpans()
      #expect(heaps.space.arenaUsedByteCount == 0 && heaps.spans(of: heap).isEmpty, "\(byteCount)")
    }
  }

  @Test("To release what is empty empties the magazines, and takes their growth back")
  func flush() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make(largeByteCount: 8 << 20)
    for sizeClass in Self.classes { heap.deallocate(try heap.allocate(sizeClass.blockByteCount, count: 60)) }
    for sizeClass in Self.classes { heap.deallocate(try heap.allocate(sizeClass.blockByteCount, count: 60)) }
    #expect(heap.fields.magazinesByteCount > 0)
    #expect(heap.releaseEmptySpans())
    for sizeClass in Self.classes {
      #expect(heap.activeBlocks(sizeClass).isEmpty && heap.magazineCount(sizeClass) == 0)
      #expect(heap.room(sizeClass) == 0)
    }
    #expect(heap.fields.magazinesByteCount == 0 && heaps.spans(of: heap).isEmpty)
    #expect(!heap.releaseEmptySpans())
  }

  @Test("A heap that was not opened takes nothing into its magazines")
  func emptyHeap() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    let blocks = try heap.allocate(2048, count: 4)
    let record = heaps.space.allocateRecord(byteCount: ThreadHeap.recordByteCount)
    try #require(record != 0)
    let empty = ThreadHeap(address: record)
    #expect(blocks.allSatisfy { !empty.pushMagazine(FreeBlock($0), SizeClass(fitting: 2048)) })
    #expect(Self.classes.allSatisfy { empty.popMagazine($0) == 0 })
  }
}
