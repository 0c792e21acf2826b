import HeapBlocks
import HeapSpaces
import LabTestSupport
import Testing

@testable import ThreadHeaps

/// Where the next blocks come from when an active list has run out.
@Suite("Refill")
struct RefillTests {
  private static let size: UInt = 512
  private static let sizeClass = SizeClass(fitting: size)

  @Test("In order: own frees, frees of others, other spans, new pages, an empty span, a granule of the space")
  func order() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    let other = try heaps.make()
    let emptied = try heap.allocate(1024, count: 65)
    // A full span, and half of one.
    let full = try heap.allocate(Self.size, count: 128)
    let half = try heap.allocate(Self.size, count: 64)
    #expect(heap.active(Self.sizeClass) == 0 && heaps.span(of: full[0]) != heaps.span(of: half[0]))
    heap.deallocate(full.prefix(8))
    #expect(heaps.span(of: full[0]).use == .availableSpan)
    // A span of another class, emptied. The one after it stays its class's current one.
    heap.deallocate(emptied.prefix(64))
    #expect(heap.fields.idleCount == 1)
    heap.deallocate([half[3], half[4]])
    other.deallocate([half[10], half[11]])
    other.flushOutgoing()

    #expect(try heap.allocate(Self.size, count: 2) == [half[4], half[3]], "the current span's own frees")
    #expect(try heap.allocate(Self.size, count: 2) == [half[11], half[10]], "what other threads gave back")
    #expect(try heap.allocate(Self.size, count: 8) == full.prefix(8).reversed(), "other spans with free blocks")
    let new = try heap.allocate(Self.size, count: 64)
    #expect(new == (64..<128).map { half[0] + $0 * Self.size }, "pages that were never carved")
    let next = try heap.allocate(Self.size, count: 128)
    #expect(next.allSatisfy { heaps.span(of: $0) == heaps.span(of: emptied[0]) }, "an empty span at hand")
    #expect(heap.fields.idleCount == 0)
    let last = try heap.allocate(Self.size)
    let known = Set((emptied + full + half + next).map { heaps.span(of: $0).address })
    #expect(!known.contains(heaps.span(of: last).address), "a granule of the space")
  }

  @Test("What other threads gave back of other classes comes before a new granule, and so does what this one gave back")
  func gathers() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    let other = try heaps.make()
    let blocks = try heap.allocate(1024, count: 65)
    other.deallocate(blocks.prefix(64))
    other.flushOutgoing()
    // The span of 1 KiB is empty, and nobody looked.
    let block = try heap.allocate(64)
    #expect(heaps.span(of: block) == heaps.span(of: blocks[0]))
    // The other heap's next span is one that it emptied itself, before it flushed.
    let more = try heap.allocate(1024, count: 128)
    let claimed = heaps.span(of: more[100])
    #expect(claimed.use == .fullSpan)
    other.deallocate(more.filter { heaps.span(of: $0) == claimed })
    let mine = try other.allocate(64)
    #expect(heaps.span(of: mine) == claimed && other.owns(claimed))
  }

  @Test(
    "The shortest refill takes the current span's free list whole, but every 256th time leaves it to the longer one")
  func fromCurrent() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    let blocks = try heap.allocate(Self.size, count: 32)
    let span = heaps.span(of: blocks[0])
    #expect(heap.refillFromCurrent(Self.sizeClass, span) == 0, "there is nothing free")
    var refusedCount = 0
    for turn in 0..<512 {
      heap.deallocate([blocks[5], blocks[6]])
      let block = heap.refillFromCurrent(Self.sizeClass, span)
      if block == 0 {
        refusedCount += 1
        #expect(span.freeCount == 2, "turn \(turn)")
        #expect(try heap.allocate(Self.size) == blocks[6])
      } else {
        #expect(block == blocks[6] && !FreeBlock(block).looksFree)
      }
      #expect(span.free == 0 && span.freeCount == 0)
      #expect(heap.popActive(Self.sizeClass) == blocks[5])
    }
    #expect(refusedCount == 2)
  }

  @Test("A class that runs out often gets more pages to work with")
  func hotClass() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    // A small heap gets none.
    _ = try heap.allocate(1024, count: 1100)
    let blocks = try heap.allocate(Self.size, count: 8)
    let span = heaps.span(of: blocks[0])
    for pageCount in 1...4 {
      #expect(span.presentByteCount == UInt(pageCount) * 4096)
      heap.deallocate(blocks)
      _ = heap.activeBlocks(Self.sizeClass).map { _ in heap.popActive(Self.sizeClass) }
      #expect(heap.refill(Self.sizeClass) != 0)
      _ = heap.activeBlocks(Self.sizeClass).map { _ in heap.popActive(Self.sizeClass) }
    }
    #expect(span.presentByteCount == 4 * 4096, "16 KiB are enough")
  }

  @Test("A span at hand that was of the same class comes back as it went: nothing is carved again")
  func sameClass() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    let blocks = try heap.allocate(Self.size, count: 129)
    heap.deallocate(blocks.prefix(128))
    let span = heaps.span(of: blocks[0])
    #expect(span.use == .reserved && span.freeCount == 128)
    _ = try heap.allocate(Self.size, count: 127)
    let again = try heap.allocate(Self.size, count: 128)
    #expect(Set(again) == Set(blocks.prefix(128)) && heap.owns(span) && heaps.hasTrueAccount(heap))
  }

  @Test("Without memory there is no block, and with some again there is one")
  func exhausted() throws {
    let memory = try #require(MemorySpace(byteCount: 1 << 20))
    let heap = try #require(ThreadHeap.create(over: memory.space))
    for sizeClass in [SizeClass(fitting: 64), SizeClass(fitting: 4096)] {
      var blocks: [UInt] = []
      while true {
        var block = sizeClass.hasMagazine ? heap.popMagazine(sizeClass) : heap.popActive(sizeClass)
        if block == 0 { block = heap.refill(sizeClass) }
        if block == 0 { break }
        blocks.append(block)
      }
      #expect(Set(blocks).count == blocks.count && blocks.count > 100)
      heap.deallocate(blocks)
      #expect(heap.refill(sizeClass) != 0)
      heap.releaseEmptySpans()
    }
  }
}
