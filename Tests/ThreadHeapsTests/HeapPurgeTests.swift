import Addresses
import HeapBlocks
import HeapSpaces
import LabTestSupport
import MemoryRegions
import Testing

@testable import ThreadHeaps

/// When a heap gives memory back by itself. The tests hold the clock.
@Suite("Purges of a heap")
struct HeapPurgeTests {
  /// How many bytes of these blocks have memory behind them: the first byte past a free block's words tells.
  private static func residentByteCount(_ blocks: some Sequence<UInt>) -> UInt {
    blocks.reduce(0) { $0 + (TestMemory.byte(at: VirtAddr($1 + 16)) == 0xA5 ? 1024 : 0) }
  }

  private static func allocateFilled(_ heap: ThreadHeap, count: Int) throws -> [UInt] {
    let blocks = try heap.allocate(1024, count: count)
    for block in blocks { TestMemory.setByte(0xA5, at: VirtAddr(block + 16)) }
    return blocks
  }

  @Test("A heap that shrinks gives back as it goes, and keeps little more than an eighth")
  func shrinks() throws {
    try TestOwner.with { _ in
      let heaps = try TestHeaps()
      let heap = try heaps.make()
      let blocks = try Self.allocateFilled(heap, count: 32 << 10)
      for number in 0..<32 {
        heap.deallocate(blocks[number << 10..<(number + 1) << 10])
        let resident = Self.residentByteCount(blocks)
        let live = UInt(31 - number) << 20
        #expect(resident >= live && resident <= live + max(live / 7, 1 << 20) + 2 << 20, "after \(number + 1) MiB")
      }
      #expect(heaps.hasTrueAccount(heap))
    }
  }

  @Test("Less than a mebibyte stays at hand, until the program asks for it")
  func little() throws {
    try TestOwner.with { _ in
      let heaps = try TestHeaps()
      let heap = try heaps.make()
      let blocks = try Self.allocateFilled(heap, count: 1000)
      heap.deallocate(blocks)
      #expect(Self.residentByteCount(blocks) == 1000 << 10)
      heap.purge(.free)
      #expect(Self.residentByteCount(blocks) == 1000 << 10)
      heap.purge(.demand)
      #expect(Self.residentByteCount(blocks) == 0 && heaps.spans(of: heap).isEmpty)
    }
  }

  @Test("No purge begins within a second after the system refused one, unless the program asks for it")
  func refusal() throws {
    try TestOwner.with { owner in
      owner.milliseconds = 5
      let heaps = try TestHeaps()
      let heap = try heaps.make()
      let locked = try #require(heaps.space.allocateGranule())
      try SystemPages.pin(heaps.space.start(of: locked), byteCount: 4096, onFault: false)
      heaps.space.decommit(pages: 1, of: locked)
      let blocks = try Self.allocateFilled(heap, count: 4 << 10)
      heap.deallocate(blocks)
      owner.milliseconds += 999
      heap.purge(.pause(delayMilliseconds: 100))
      #expect(Self.residentByteCount(blocks) == 4 << 20)
      owner.milliseconds += 1
      heap.purge(.pause(delayMilliseconds: 100))
      #expect(Self.residentByteCount(blocks) < 4 << 20)
      heaps.space.decommit(pages: 1, of: locked)
      heap.purge(.demand)
      #expect(Self.residentByteCount(blocks) == 0)
    }
  }

  @Test("A pause takes a quarter of that, the delay after the last purge")
  func pause() throws {
    try TestOwner.with { owner in
      let heaps = try TestHeaps()
      let heap = try heaps.make()
      heap.purge(.demand)
      let blocks = try Self.allocateFilled(heap, count: 1000)
      heap.deallocate(blocks)
      owner.milliseconds += 99
      heap.purge(.pause(delayMilliseconds: 100))
      #expect(Self.residentByteCount(blocks) == 1000 << 10)
      owner.milliseconds += 1
      // Piece by piece, until one span in reserve is left, and the current one.
      var pieceCount = 0
      while Self.residentByteCount(blocks) > 2 * Granule.byteCount, pieceCount < 10 {
        heap.purge(.pause(delayMilliseconds: 100))
        pieceCount += 1
      }
      #expect((2...5).contains(pieceCount))
    }
  }

  @Test("A heap that grows and shrinks in turns waits longer from one purge to the next")
  func backsOff() throws {
    try TestOwner.with { owner in
      let heaps = try TestHeaps()
      let heap = try heaps.make()
      let kept = try Self.allocateFilled(heap, count: 26 << 10)
      var purgedTurns: [Int] = []
      for turn in 0..<60 {
        // A fifth of what is held, for 10 ms.
        let blocks = try Self.allocateFilled(heap, count: 6 << 10)
        owner.milliseconds += 10
        heap.deallocate(blocks)
        if heaps.space.fields.decay.purgedAtMilliseconds == owner.milliseconds { purgedTurns.append(turn) }
      }
      let gaps = zip(purgedTurns, purgedTurns.dropFirst()).map { $1 - $0 }
      #expect(purgedTurns.first == 0 && gaps == gaps.sorted() && gaps == [10, 20], "\(purgedTurns)")
      #expect(Self.residentByteCount(kept) == 26 << 20)
      // Once it stays small, what is free goes at the next pause.
      owner.milliseconds += 1000
      heap.purge(.pause(delayMilliseconds: 100))
      #expect(heaps.space.fields.decay.freedByteCount == 0)
    }
  }

  @Test("Bytes that come into use again are no longer counted as freed")
  func reuseIsNoted() throws {
    try TestOwner.with { _ in
      let heaps = try TestHeaps()
      let heap = try heaps.make()
      _ = try Self.allocateFilled(heap, count: 16 << 10)
      let wave: UInt = 24 * Granule.byteCount
      for _ in 0..<2 { heap.deallocate(try heap.allocate(1024, count: 24 * 64)) }
      // More empty spans than a heap keeps pass through the space, and their way back is noted as growth.
      #expect(heap.fields.decay.freedByteCount <= wave)
    }
  }

  @Test("Spans that are emptied while few are held go whole, the heap's reserve too")
  func reserveGoes() throws {
    try TestOwner.with { _ in
      let heaps = try TestHeaps()
      let heap = try heaps.make()
      let blocks = try Self.allocateFilled(heap, count: 64 * 8 + 1)
      heap.deallocate(blocks.prefix(64 * 8))
      #expect(heap.fields.idleCount == 1, "it holds too little to keep more")
      let freeCount = heaps.space.freeGranuleCount
      heap.purge(.demand)
      #expect(heap.fields.idleCount == 0 && heaps.space.freeGranuleCount == freeCount + 1)
      #expect(Self.residentByteCount(blocks) == 1024, "the one that is held")
    }
  }
}
