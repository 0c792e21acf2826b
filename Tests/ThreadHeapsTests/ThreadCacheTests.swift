import FirstFitHeap
import HeapBlocks
import HeapSpaces
import LabTestSupport
import Testing

@testable import ThreadHeaps

/// The cache of blocks above 32 KiB that a thread freed last.
@Suite("The thread cache")
struct ThreadCacheTests {
  private static func block(_ byteCount: UInt, in heaps: TestHeaps) throws -> FreeBlock {
    let address = heaps.space.allocateInArena(byteCount: byteCount, alignment: 16)
    try #require(address != 0)
    return FreeBlock(address)
  }

  private static func entry(_ block: FreeBlock) -> ArenaEntry { ArenaEntry(of: block.address) }

  @Test("What a full cache frees is of each class in turn")
  func trimsInTurn() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make(largeByteCount: 9 << 20)
    let sizes = [50_000, 90_000, 160_000, 290_000] as [UInt]
    for _ in 0..<4 {
      for byteCount in sizes {
        let block = try Self.block(byteCount, in: heaps)
        try #require(heap.pushCached(block, Self.entry(block)))
      }
    }
    let before = heap.cacheByteCount
    heap.makeCacheRoom(for: heap.cacheLimit - before / 2)
    for byteCount in sizes {
      let found = (0..<3).map { _ in heap.popCached(byteCount) }
      #expect(found[0] != 0 && found[1] != 0 && found[2] == 0, "two of four blocks of \(byteCount) bytes stay")
    }
  }

  @Test("Room and blocks make the limit; the block that was freed last serves the next request of its class")
  func pushAndPop() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make(largeByteCount: 9 << 20)
    let blocks = try (0..<3).map { _ in try Self.block(100_000, in: heaps) }
    var byteCount: UInt = 0
    for block in blocks {
      #expect(heap.pushCached(block, Self.entry(block)) && block.looksFree)
      byteCount += Self.entry(block).blockByteCount
      #expect(heap.cacheByteCount == byteCount && heap.listedByteCount == byteCount)
      #expect(heap.isCached(block))
    }
    for block in blocks.reversed() {
      #expect(heap.popCached(100_000) == block.address && !block.looksFree && !heap.isCached(block))
      byteCount -= Self.entry(block).blockByteCount
      #expect(heap.cacheByteCount == byteCount)
    }
    #expect(heap.popCached(100_000) == 0)
  }

  @Test(
    "A block serves the requests that it holds: of the next class, its own, and the four below it where little is held",
    arguments: [9 << 20, 128 << 20, 128 << 20 + 1] as [UInt])
  func classes(largeByteCount: UInt) throws {
    let mostBelow = largeByteCount <= 128 << 20 ? 4 : 0
    let heaps = try TestHeaps()
    let heap = try heaps.make(largeByteCount: 9 << 20)
    for byteCount in stride(from: UInt(40_000), through: 600_000, by: 17_000) {
      let usable = Self.entry(try Self.block(byteCount, in: heaps)).byteCount
      let own = LargeClass(within: usable).index
      for request in stride(from: usable / 3 * 2, through: usable + usable / 8, by: 997) {
        if request <= 32 << 10 { continue }
        let block = try Self.block(byteCount, in: heaps)
        heap.fields.largeByteCount = largeByteCount
        heap.limitCache()
        try #require(heap.pushCached(block, Self.entry(block)) && Self.entry(block).byteCount == usable)
        let wanted = LargeClass(fitting: request).index
        let found = heap.popCached(request)
        let isServed = wanted == own + 1 ? request <= usable : (own - mostBelow...own).contains(wanted)
        #expect((found != 0) == isServed, "\(request) of \(usable)")
        if found == 0 { heap.flushCache() } else { heaps.space.deallocateInArena(found) }
      }
    }
  }

  /// What a cache may hold when its heap holds `byteCount` bytes in all and is one of `heapCount`.
  private static func limit(_ byteCount: UInt, heapCount: UInt) -> UInt {
    let most = (4 << 20) / heapCount
    return 32 << 10 + byteCount / 64 + min((byteCount - min(byteCount, 512 << 10)) / 2, most)
  }

  @Test("A cache may hold 32 KiB, a part of what its heap holds, and little more where there are many heaps")
  func limits() throws {
    let heaps = try TestHeaps()
    var heapCount: UInt = 0
    while heapCount < 70 {
      let heap = try heaps.make()
      heapCount += 1
      for byteCount in [0, 100_000, 512 << 10, 1 << 20, 5 << 20, 100 << 20] as [UInt] {
        heap.fields.largeByteCount = byteCount
        heap.limitCache()
        #expect(heap.cacheLimit == Self.limit(byteCount, heapCount: heapCount), "\(byteCount), \(heapCount) heaps")
      }
    }
  }

  @Test("What a thread took and returned counts, and the cache keeps to its limit at the next free")
  func account() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    var blocks: [UInt] = []
    for _ in 0..<40 {
      blocks.append(heap.allocateInArena(byteCount: 200_000, alignment: 16, zeroed: false))
      try #require(blocks.last != 0)
    }
    let all = blocks.reduce(0) { $0 + ArenaEntry(of: $1).blockByteCount }
    #expect(heap.fields.largeByteCount == all && heap.cacheLimit == Self.limit(all, heapCount: 1))
    for block in blocks {
      let entry = ArenaEntry(of: block)
      if heap.pushCached(FreeBlock(block), entry) { continue }
      heap.makeCacheRoom(for: entry.blockByteCount)
      if !heap.pushCached(FreeBlock(block), entry) { heap.deallocateInArena(block) }
      #expect(heap.cacheByteCount <= heap.cacheLimit)
    }
    #expect(heap.fields.largeByteCount == heap.cacheByteCount)
    #expect(heap.cacheByteCount <= 1 << 20, "little is left of 8 MB")
    heap.flushCache()
    #expect(heap.fields.largeByteCount == 0 && heaps.space.arenaUsedByteCount == 0)
  }

  @Test("A thread that frees and allocates a large block in turns soon keeps it; other requests end that")
  func boost() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    var missCount = 0
    for _ in 0..<10 {
      var block = heap.popCached(1 << 20)
      if block == 0 {
        missCount += 1
        block = heap.allocateInArena(byteCount: 1 << 20, alignment: 16, zeroed: false)
      }
      let entry = ArenaEntry(of: block)
      heap.makeCacheRoom(for: entry.blockByteCount)
      if !heap.pushCached(FreeBlock(block), entry) { heap.deallocateInArena(block) }
    }
    #expect(missCount == 2)
    #expect(heap.fields.cacheBoost > 2 << 20 && heap.fields.cacheBoost <= 4 << 20)
    var held: [UInt] = []
    for step in 0..<60 {
      held.append(heap.allocateInArena(byteCount: 50_000 + UInt(step), alignment: 16, zeroed: false))
    }
    #expect(heap.fields.cacheBoost < 4096)
  }

  @Test("A cache that is full takes nothing, and one without a limit neither")
  func full() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    let first = try Self.block(1 << 20, in: heaps)
    #expect(!heap.pushCached(first, Self.entry(first)) && !first.looksFree)
    // Some 4 MiB.
    heap.fields.largeByteCount = 8 << 20
    heap.limitCache()
    let blocks = try (0..<4).map { _ in try Self.block(1 << 20, in: heaps) }
    #expect(blocks.map { heap.pushCached($0, Self.entry($0)) } == [true, true, true, false])
    #expect(heap.cacheByteCount == blocks.prefix(3).reduce(0) { $0 + Self.entry($1).blockByteCount })
  }

  @Test("To make room, half of the cache goes, from the largest class down")
  func trims() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make(largeByteCount: 9 << 20)
    let sizes: [UInt] = [50_000, 900_000, 100_000, 1_200_000, 60_000, 700_000, 1_000_000]
    let blocks = try sizes.map { try Self.block($0, in: heaps) }
    for block in blocks { try #require(heap.pushCached(block, Self.entry(block))) }
    let used = heaps.space.arenaUsedByteCount
    heap.makeCacheRoom(for: 300_000)
    #expect(heap.cacheByteCount <= 2 << 20)
    let kept = zip(sizes, blocks).filter { heap.isCached($1) }
    #expect(kept.map(\.0) == [50_000, 900_000, 100_000, 60_000, 700_000], "the two largest were enough")
    #expect(heaps.space.arenaUsedByteCount < used - 2_200_000)
    heap.makeCacheRoom(for: 3 << 20)
    #expect(heap.cacheByteCount <= 1 << 20, "a larger block needs more than half")
    let before = heap.cacheByteCount
    heap.makeCacheRoom(for: (4 << 20) + 1)
    #expect(heap.cacheByteCount == before, "what never fits evicts nothing")
  }

  @Test("A flush ends where a handler interrupted a pop, whose block still counts and is in no list")
  func flushAmidPop() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make(largeByteCount: 9 << 20)
    let block = try Self.block(100_000, in: heaps)
    try #require(heap.pushCached(block, Self.entry(block)))
    heap.fields.cacheByteCount += 50_000
    heap.flushCache()
    #expect(heap.cacheByteCount == 50_000 && heaps.space.arenaUsedByteCount == 0)
  }

  @Test("A flush gives every block back to its arena")
  func flush() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make(largeByteCount: 9 << 20)
    let blocks = try (1...20).map { try Self.block(33_000 + 7000 * UInt($0), in: heaps) }
    for block in blocks { try #require(heap.pushCached(block, Self.entry(block))) }
    heap.flushCache()
    #expect(heap.cacheByteCount == 0 && heaps.space.arenaUsedByteCount == 0)
    #expect(
      blocks.allSatisfy { heaps.space.granuleUnchecked(around: $0.address).arenaPart.entry(of: $0.address) == .none })
    #expect((0..<LargeClass.count).allSatisfy { heap.cached($0) == 0 })
  }

  @Test("A block that only looks free is in no cache, and a list that the program wrote over ends the search")
  func isCached() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make(largeByteCount: 9 << 20)
    let blocks = try (0..<4).map { _ in try Self.block(100_000, in: heaps) }
    for block in blocks.prefix(3) { try #require(heap.pushCached(block, Self.entry(block))) }
    blocks[3].markWord = FreeBlock.mark
    #expect(!heap.isCached(blocks[3]))
    #expect(heap.isCached(blocks[0]))
    for garbage in [1, blocks[0].address + 16, .max, blocks[2].address] {
      blocks[1].next = garbage
      #expect(!heap.isCached(blocks[0]) && heap.isCached(blocks[2]))
    }
  }
}
