import Addresses
import HeapBlocks
import HeapSpaces
import LabTestSupport
import Testing

@testable import ThreadHeaps

/// Memory that goes back out of the middle of spans.
@Suite("Purges of pages in spans")
struct PagePurgeTests {
  /// Fills a block with a byte, but for its first two words, which belong to the heap when it is free.
  private static func fill(_ block: UInt, _ size: UInt, with byte: UInt8) {
    for offset in 16..<size { TestMemory.setByte(byte, at: VirtAddr(block + offset)) }
  }

  private static func isFilled(_ block: UInt, _ size: UInt, with byte: UInt8) -> Bool {
    (16..<size).allSatisfy { TestMemory.byte(at: VirtAddr(block + $0)) == byte }
  }

  /// A full span of blocks of one size, filled, of a heap over a space of the system's memory.
  private struct FilledSpan {
    let heaps: TestHeaps
    let heap: ThreadHeap
    let size: UInt
    let span: BlockSpan
    let blocks: [UInt]

    init(_ byteCount: UInt) throws {
      size = SizeClass(fitting: byteCount).blockByteCount
      heaps = try TestHeaps()
      heap = try heaps.make()
      let capacity = Int(65536 / size)
      blocks = Array(try heap.allocate(size, count: capacity + 1).prefix(capacity))
      span = heaps.span(of: blocks[0])
      for block in blocks { PagePurgeTests.fill(block, size, with: 0xA5) }
    }

    /// The pages of which no block is held, one bit each.
    func pages(without held: [UInt]) -> UInt16 { held.reduce(.max) { $0 & ~span.pages(ofBlockAt: $1) } }
  }

  @Test("Pages of which nobody holds a byte go, and no others", arguments: [64, 320, 512, 1000, 1100, 3000])
  func purges(byteCount: UInt) throws {
    let filled = try FilledSpan(byteCount)
    // One block in 200 stays, and the last third of the span.
    let count = filled.blocks.count
    let held = (0..<count).filter { $0 % 200 == 5 || $0 > count * 2 / 3 }.map { filled.blocks[$0] }
    let free = filled.blocks.filter { !held.contains($0) }
    filled.heap.deallocate(free)
    filled.heap.purge(.demand)
    let gone = filled.pages(without: held)
    #expect(filled.span.absentPages == gone && gone != 0)
    #expect(filled.span.granule.fields.residentPages & gone == 0)
    for block in held { #expect(Self.isFilled(block, filled.size, with: 0xA5) && filled.span.isPresent(block)) }
    for page in UInt(0)..<16 where gone & 1 << UInt16(page) != 0 {
      let start = filled.heaps.space.start(of: filled.span.granule) + page * 4096
      #expect((0..<4096).allSatisfy { TestMemory.byte(at: VirtAddr(start + $0)) == 0 })
    }
    // No list leads to an absent block.
    let listed = linkedBlocks(filled.span.free)
    #expect(listed.allSatisfy { filled.span.isPresent($0) && FreeBlock($0).looksFree })
    #expect(Set(listed) == Set(free.filter { filled.span.isPresent($0) }))
    #expect(Int(filled.span.carvedCount) == listed.count + held.count && filled.span.freeCount == listed.count)
    #expect(filled.heaps.hasTrueAccount(filled.heap))
  }

  @Test("A class's current span gives its pages back, too, and carves them again", arguments: [64, 512, 1100, 3000])
  func purgesCurrent(byteCount: UInt) throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    let sizeClass = SizeClass(fitting: byteCount)
    // All but a few blocks of the only span: it stays current.
    let blocks = try heap.allocate(byteCount, count: Int(Granule.byteCount / sizeClass.blockByteCount) - 2)
    let span = heaps.span(of: blocks[0])
    let held = blocks[blocks.count / 2]
    heap.deallocate(blocks.filter { $0 != held })
    heap.purge(.demand)
    #expect(span.use == .currentSpan && heap.current(sizeClass) != 0)
    let kept = heap.activeBlocks(sizeClass).reduce(span.pages(ofBlockAt: held)) { $0 | span.pages(ofBlockAt: $1) }
    #expect(span.absentPages == ~kept && kept.nonzeroBitCount <= 3)
    #expect(Int(span.carvedCount) == heap.activeBlocks(sizeClass).count + span.freeCount + 1)
    #expect(heaps.hasTrueAccount(heap))
    let again = try heap.allocate(byteCount, count: blocks.count - 1)
    #expect(Set(again + [held]).count == blocks.count && again.allSatisfy { heaps.span(of: $0) == span })
    // Full and put aside, it comes to its first event: the decay learns of those blocks and no others.
    _ = try heap.allocate(byteCount, count: 4)
    #expect(span.use == .fullSpan)
    let before = heap.fields.decay.freedByteCount
    heap.deallocate(again.prefix(again.count / 2))
    let freed = UInt(again.count / 2) * sizeClass.blockByteCount
    #expect(heap.fields.decay.freedByteCount <= before + freed)
  }

  @Test("What a refill does of an event leaves all pages, however due a purge is")
  func eventWithoutPurge() throws {
    let filled = try FilledSpan(512)
    filled.heap.deallocate(filled.blocks.prefix(100))
    filled.heap.fields.decay.noteFreed(1 << 30)
    let heldByteCount = filled.heap.fields.heldByteCount
    filled.heap.handleFreed(filled.span)
    #expect(filled.heap.fields.heldByteCount == heldByteCount)
    filled.heap.handleEvent(filled.span)
    #expect(filled.heap.fields.heldByteCount < heldByteCount, "with the purge")
  }

  @Test("After a purge nothing is free any more", arguments: [512, 3000])
  func nothingLeft(byteCount: UInt) throws {
    let filled = try FilledSpan(byteCount)
    filled.heap.deallocate(filled.blocks)
    filled.heap.purge(.demand)
    #expect(filled.heap.fields.decay.freedByteCount == 0)
  }

  @Test("After a purge the hot path refuses frees above the first absent page; the next path takes those of blocks")
  func frees() throws {
    let filled = try FilledSpan(512)
    filled.heap.deallocate(filled.blocks[16..<64])
    #expect(filled.span.isInUse(FreeBlock(filled.blocks[0])))
    filled.heap.purge(.demand)
    #expect(filled.span.absentPages == 0x00FC)
    for (index, block) in filled.blocks.enumerated() {
      let isAbsent = (16..<64).contains(index)
      #expect(filled.span.isInUse(FreeBlock(block)) == (index < 16))
      #expect(filled.span.isInUseAfterPurge(FreeBlock(block)) == !isAbsent, "block \(index)")
    }
  }

  @Test("Absent blocks come back by carving, each once, and the hot path takes the span's frees again")
  func comesBack() throws {
    let filled = try FilledSpan(512)
    let freed = filled.blocks[16..<64] + filled.blocks[100..<104]
    filled.heap.deallocate(freed)
    filled.heap.purge(.demand)
    // The current span has 127 blocks more to give.
    let again = try filled.heap.allocate(512, count: freed.count + 127)
    #expect(Set(again).count == again.count && Set(again).isSuperset(of: freed))
    #expect(filled.span.absentPages == 0 && filled.span.isInUse(FreeBlock(filled.blocks[0])))
    #expect(filled.span.carvedCount == 128 && filled.heaps.hasTrueAccount(filled.heap))
    #expect(again.allSatisfy { filled.span.isInUse(FreeBlock($0)) })
  }

  @Test("A span that loses pages becomes empty with the last block that is left")
  func emptiesAfterPurge() throws {
    let filled = try FilledSpan(512)
    filled.heap.deallocate(filled.blocks[..<120])
    filled.heap.purge(.demand)
    #expect(filled.span.use == .availableSpan && filled.span.carvedCount == 8)
    filled.heap.deallocate(filled.blocks[120...])
    #expect(filled.span.use == .reserved && filled.heap.fields.idleCount == 1)
    #expect(filled.heaps.hasTrueAccount(filled.heap))
    let again = try filled.heap.allocate(512, count: 127 + 128)
    #expect(Set(again).count == again.count && Set(again).isSuperset(of: filled.blocks))
  }

  @Test("A walk is not repeated before enough was freed since")
  func notTwice() throws {
    let filled = try FilledSpan(64)
    // Of every page a block stays: nothing can go.
    let held = (0..<16).map { filled.blocks[$0 * 64] }
    filled.heap.deallocate(filled.blocks.filter { !held.contains($0) })
    filled.heap.purge(.demand)
    #expect(filled.span.absentPages == 0 && filled.span.fields.purgedFreeCount == 1008)
    filled.heap.deallocate(held[3])
    filled.heap.purge(.demand)
    #expect(filled.span.absentPages == 0, "one block of sixteen is too little")
    filled.heap.deallocate([held[4], held[5]])
    filled.heap.purge(.demand)
    #expect(filled.span.absentPages == 0b111000)
  }

  @Test("A caller's memory is left alone")
  func callersMemory() throws {
    let memory = try #require(MemorySpace(byteCount: 4 << 20))
    let heap = try #require(ThreadHeap.create(over: memory.space))
    let blocks = try heap.allocate(512, count: 129)
    for block in blocks { Self.fill(block, 512, with: 0xA5) }
    heap.deallocate(blocks[16..<128])
    heap.purge(.demand)
    let span = memory.space.granuleUnchecked(around: blocks[0]).span
    #expect(span.absentPages == 0 && span.freeCount == 112)
    #expect(blocks.allSatisfy { Self.isFilled($0, 512, with: 0xA5) })
  }
}
