import HeapBlocks
import HeapSpaces
import LabTestSupport
import Testing

@testable import ThreadHeaps

@Suite("Magazines")
struct MagazineTests {
  private static let classes = (SizeClass.firstWithMagazine..<SizeClass.count).map { SizeClass(index: $0) }

  /// How many blocks a magazine holds at first: 64 KiB, at least four.
  private static func firstLimit(_ sizeClass: SizeClass) -> Int { max(4, 65536 / Int(sizeClass.blockByteCount)) }

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
    let heap = try heaps.make(heapCount: 1)
    let other = try heaps.make(heapCount: 2)
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
    #expect(heaps.spans(of: heap).isEmpty && heaps.hasTrueAccount(heap), "nobody holds a block")
  }

  @Test("A freed block is the next one that its class hands out, whatever span it is of")
  func lastFirst() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    let blocks = try heap.allocate(9000, count: 12)
    #expect(heaps.span(of: blocks[0]) != heaps.span(of: blocks[11]))
    let sizeClass = SizeClass(fitting: 9000)
    while heap.popActive(sizeClass) != 0 {}
    heap.setRoom(sizeClass, 7)
    let freed = [blocks[0], blocks[11], blocks[5]]
    heap.deallocate(freed)
    #expect(heap.activeBlocks(sizeClass) == freed.reversed())
    #expect(heaps.span(of: blocks[0]).freeCount == 0, "to its span a block in a magazine is live")
    #expect(try heap.allocate(9000, count: 3) == freed.reversed())
  }

  /// The limits that a magazine goes through when nothing else grows: each is the one before and a half of it, as long as
  /// it fits a byte and the growth is no more than half of a cache of 4 MiB.
  private static func limits(_ sizeClass: SizeClass) -> [Int] {
    let first = firstLimit(sizeClass)
    let all = sequence(first: first) { $0 + $0 / 2 }
    return Array(all.prefix { $0 <= 255 && ($0 - first) * Int(sizeClass.blockByteCount) <= 2 << 20 })
  }

  @Test("A full magazine grows by half of itself as long as it may")
  func grows() throws {
    let heaps = try TestHeaps()
    for sizeClass in Self.classes {
      let heap = try heaps.make(heapCount: 1)
      let limits = Self.limits(sizeClass)
      let last = try #require(limits.last)
      var blocks = try heap.allocate(sizeClass.blockByteCount, count: last + 1)
      blocks += sequence(first: 0) { _ in heap.popMagazine(sizeClass) }.dropFirst().prefix { $0 != 0 }
      var seen = [Self.limit(heap, sizeClass)]
      for block in blocks.prefix(last) {
        heap.deallocate(block)
        if seen.last != Self.limit(heap, sizeClass) { seen.append(Self.limit(heap, sizeClass)) }
      }
      #expect(seen == limits && limits.count > 1, "\(sizeClass.blockByteCount) bytes")
      #expect(heap.activeBlocks(sizeClass) == blocks.prefix(last).reversed())
      heap.deallocate(blocks[last])
      #expect(heap.magazineCount(sizeClass) <= last / 2 + 1, "the older half goes back")
    }
  }

  @Test("All magazines together grow by no more than half of what the cache may hold")
  func growTogether() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make(heapCount: 1)
    for sizeClass in Self.classes { heap.deallocate(try heap.allocate(sizeClass.blockByteCount, count: 120)) }
    let grown = Self.classes.map { (Self.limit(heap, $0) - Self.firstLimit($0)) * Int($0.blockByteCount) }
    let sum = grown.reduce(0, +)
    #expect(sum <= 2 << 20 && sum > 1 << 20 && UInt(sum) == heap.fields.magazineGrownByteCount)
    #expect(Self.miscounted(heap).isEmpty)
  }

  @Test("A magazine that may not grow gives its older half to the spans")
  func halfGoesBack() throws {
    let heaps = try TestHeaps()
    // Without a cache nothing grows.
    let heap = try heaps.make()
    let sizeClass = SizeClass(fitting: 32768)
    let blocks = try heap.allocate(32768, count: 8)
    #expect(heap.activeBlocks(sizeClass).isEmpty)
    heap.deallocate(blocks.prefix(4))
    #expect(heap.activeBlocks(sizeClass) == blocks.prefix(4).reversed() && heap.room(sizeClass) == 0)
    heap.deallocate(blocks[4])
    #expect(heap.activeBlocks(sizeClass) == [blocks[4], blocks[3], blocks[2]] && heap.room(sizeClass) == 1)
    // The two that were freed first were the first span.
    #expect(heaps.span(of: blocks[0]).use == .reserved && heap.fields.idleCount == 1)
  }

  @Test("To release what is empty empties the magazines, and takes their growth back")
  func flush() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make(heapCount: 1)
    for sizeClass in Self.classes { heap.deallocate(try heap.allocate(sizeClass.blockByteCount, count: 60)) }
    #expect(heap.fields.magazineGrownByteCount > 0)
    #expect(heap.releaseEmptySpans())
    for sizeClass in Self.classes {
      #expect(heap.activeBlocks(sizeClass).isEmpty && heap.magazineCount(sizeClass) == 0)
      #expect(Int(heap.room(sizeClass)) == Self.firstLimit(sizeClass))
    }
    #expect(heap.fields.magazineGrownByteCount == 0 && heaps.spans(of: heap).isEmpty)
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
    #expect(blocks.allSatisfy { !empty.pushMagazine(FreeBlock($0), of: heaps.span(of: $0)) })
    #expect(Self.classes.allSatisfy { empty.popMagazine($0) == 0 })
  }
}
