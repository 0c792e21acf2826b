import Addresses
import HeapBlocks
import HeapSpaces
import LabTestSupport
import Testing

@testable import ThreadHeaps

/// What a span's owner waits for: the first free blocks of a full span, and the last of any.
@Suite("Events of spans")
struct SpanEventTests {
  /// A heap with a full span of 128 blocks of 512 bytes, and a current one with one block more.
  private struct FullSpan {
    let heaps: TestHeaps
    let heap: ThreadHeap
    let blocks: [UInt]
    let span: BlockSpan

    init() throws {
      heaps = try TestHeaps()
      heap = try heaps.make()
      blocks = Array(try heap.allocate(512, count: 129).prefix(128))
      span = heaps.span(of: blocks[0])
    }
  }

  private static let sizeClass = SizeClass(fitting: 512)

  private static func available(_ heap: ThreadHeap) -> [BlockSpan] {
    let first = heap.fields.available[sizeClass.index]
    let granules = sequence(first: first) { heap.space.span($0).fields.next }.prefix { $0 != 0 }
    return granules.map { heap.space.span($0) }
  }

  @Test("From full to available with the first sixteenth of its blocks, and to empty with the last")
  func wholeLife() throws {
    let full = try FullSpan()
    #expect(full.span.use == .fullSpan && Self.available(full.heap).isEmpty)
    for (index, block) in full.blocks.enumerated() {
      full.heap.deallocate(block)
      let use: GranuleUse = index < 7 ? .fullSpan : index < 127 ? .availableSpan : .reserved
      #expect(full.span.use == use, "after \(index + 1) blocks")
      #expect(Self.available(full.heap) == (use == .availableSpan ? [full.span] : []))
      #expect(full.span.freeCount == index + 1)
    }
    #expect(full.span.owner == 0 && full.span.hotOwner == 0 && full.heap.fields.idleCount == 1)
    #expect(full.heaps.hasTrueAccount(full.heap))
  }

  @Test("The events between are few: of 128 frees at most ten take the slow path")
  func eventsAreFew() throws {
    let full = try FullSpan()
    var eventCount = 0
    for block in full.blocks where full.span.push(FreeBlock(block)) {
      eventCount += 1
      full.heap.handleEvent(full.span)
    }
    #expect(full.span.use == .reserved && (4...10).contains(eventCount))
  }

  @Test("The decay knows of half of the blocks at the latest when half of them are free, and of all when all are")
  func decayIsTold() throws {
    let full = try FullSpan()
    for (index, block) in full.blocks.enumerated() {
      full.heap.deallocate(block)
      let freedByteCount = full.heap.fields.decay.freedByteCount
      #expect(freedByteCount <= UInt(index + 1) * 512)
      if index + 1 >= 64 { #expect(freedByteCount >= UInt(index + 1) * 512 / 4) }
      if index + 1 == 64 || index + 1 == 128 { #expect(freedByteCount == UInt(index + 1) * 512) }
    }
    // The blocks are used again.
    _ = try full.heap.allocate(512, count: 127 + 1)
    #expect(full.heap.fields.decay.freedByteCount == 0)
  }

  @Test("Available spans serve last in, first out, and leave the list from any place")
  func list() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.makeLarge()
    let blocks = try heap.allocate(512, count: 128 * 5 + 1)
    let spans = (0..<5).map { heaps.span(of: blocks[$0 * 128]) }
    for index in 0..<5 { heap.deallocate(blocks[index * 128..<index * 128 + 8]) }
    #expect(Self.available(heap) == spans.reversed())
    for index in [2, 4, 0] {
      heap.deallocate(blocks[index * 128 + 8..<(index + 1) * 128])
      #expect(spans[index].use == .reserved)
    }
    #expect(Self.available(heap) == [spans[3], spans[1]])
    while heap.popActive(Self.sizeClass) != 0 {}
    #expect(heaps.span(of: try heap.allocate(512)) == spans[3])
    #expect(Self.available(heap).first == heaps.span(of: blocks[640]), "the current one before has pages to carve")
  }

  @Test("A current span is no event when it empties: its class allocates from it next")
  func current() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    let blocks = try heap.allocate(512, count: 128)
    let span = heaps.span(of: blocks[0])
    #expect(blocks.allSatisfy { !span.push(FreeBlock($0)) })
    #expect(span.use == .currentSpan && span.freeCount == 128)
    #expect(heap.releaseEmptySpans() && span.use == .free, "on demand it goes")
    let again = try heap.allocate(512, count: 128)
    #expect(Set(again).count == 128 && heaps.hasTrueAccount(heap))
  }

  @Test("A heap keeps 16 empty spans at hand; the space has the others")
  func reserve() throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    // So much else is held that no purge is due.
    _ = try heap.allocate(1024, count: 32 << 10)
    let blocks = try heap.allocate(512, count: 128 * 20 + 1)
    let freeCount = heaps.space.freeGranuleCount
    for index in 0..<20 {
      heap.deallocate(blocks[index * 128..<(index + 1) * 128])
      #expect(heap.fields.idleCount == UInt32(min(index + 1, 16)))
      #expect(heaps.span(of: blocks[index * 128]).use == (index < 16 ? .reserved : .free))
    }
    #expect(heaps.space.freeGranuleCount == freeCount + 4 && heaps.hasTrueAccount(heap))
  }

  @Test("More free blocks than were carved end the process with one line")
  func tooMany() async {
    let result = await #expect(processExitsWith: .signal(6), observing: [\.standardErrorContent]) {
      let range = FixedMemory.map(byteCount: 4 << 20)
      let space = try #require(HeapSpace.create(base: range.start.raw, byteCount: range.byteCount))
      let heap = try #require(ThreadHeap.create(over: space))
      let block = try heap.allocate(512)
      let span = space.granuleUnchecked(around: block).span
      // Eight blocks were carved. The others are nobody's, and the hot path does not know.
      for number in UInt(0)..<16 { heap.deallocate(space.start(of: span.granule) + number * 512) }
      heap.handleEvent(span)
    }
    // The first granule behind the tables has the heap's record.
    let address = FixedMemory.start + 2 * Granule.byteCount
    let message = "free of a pointer that heaplab did not give out, in the 64 KiB at"
    #expect(text(of: result) == "heaplab: \(message): \(address)\n")
  }
}
