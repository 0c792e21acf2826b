import HeapBlocks
import HeapSpaces
import LabTestSupport
import Testing

@testable import ThreadHeaps

/// Frees by the thread of another heap. One thread works on the heaps in turns: what two do at once is RemoteThreadsTests.
@Suite("Remote frees")
struct RemoteTests {
  private static func remote(_ span: BlockSpan) -> RemoteList {
    RemoteList(word: span.fields.remote.load(ordering: .relaxed))
  }

  /// The spans on a class's incoming stack, top first.
  private static func incoming(_ heap: ThreadHeap, _ sizeClass: SizeClass, _ heaps: TestHeaps) -> [BlockSpan] {
    let first = heap.fields.incoming[sizeClass.index]
    let granules = sequence(first: first) { heaps.space.span($0).fields.nextIncoming }.prefix { $0 != 0 }
    return granules.map { heaps.space.span($0) }
  }

  @Test("The first blocks that go home put their span on the owner's stack, later ones do not again")
  func stack() throws {
    let heaps = try TestHeaps()
    let owner = try heaps.make()
    let other = try heaps.make()
    let blocks = try owner.allocate(64, count: 3 * 1024)
    let spans = [0, 1024, 2048].map { heaps.span(of: blocks[$0]) }
    for _ in 0..<2 {
      for (index, start) in [0, 1024, 2048].enumerated() {
        other.deallocate(blocks[start..<start + 64])
        #expect(Self.remote(spans[index]).count == 64)
      }
      #expect(Self.incoming(owner, SizeClass(fitting: 64), heaps) == spans.reversed())
      for start in [1024, 0] { other.deallocate(blocks[start + 64..<start + 128]) }
      #expect(spans.map { Self.remote($0).count } == [128, 128, 64])
      #expect(Self.incoming(owner, SizeClass(fitting: 64), heaps) == spans.reversed())
      owner.collectIncoming()
      #expect(Self.incoming(owner, SizeClass(fitting: 64), heaps).isEmpty)
      #expect(spans.allSatisfy { Self.remote($0).isEmpty } && spans.map(\.freeCount) == [128, 128, 64])
      #expect(try owner.allocate(64, count: 320).count == 320, "they are handed out again")
    }
  }

  @Test("Each class has a stack of its own, which its refill alone takes")
  func stacks() throws {
    let heaps = try TestHeaps()
    let owner = try heaps.make()
    let other = try heaps.make()
    // So many that their classes carve no more pages: 16 KiB.
    let small = try owner.allocate(64, count: 256)
    let large = try owner.allocate(512, count: 32)
    other.deallocate(small.prefix(3))
    other.deallocate(large.prefix(3))
    other.flushOutgoing()
    #expect(try owner.allocate(512) == large[2])
    #expect(Self.incoming(owner, SizeClass(fitting: 512), heaps).isEmpty)
    #expect(Self.incoming(owner, SizeClass(fitting: 64), heaps) == [heaps.span(of: small[0])])
    #expect(try owner.allocate(64, count: 3) == [small[2], small[1], small[0]])
  }

  @Test("Blocks that come home to a full span make it available, and the last of all makes it empty")
  func events() throws {
    let heaps = try TestHeaps()
    let owner = try heaps.make()
    let other = try heaps.make()
    let blocks = try owner.allocate(512, count: 129)
    let span = heaps.span(of: blocks[0])
    #expect(span.use == .fullSpan && Self.remote(span).isSettled)
    other.deallocate(blocks[..<16])
    #expect(span.use == .fullSpan && Self.remote(span).isSettled, "the owner has not looked")
    owner.collectIncoming()
    #expect(span.use == .availableSpan && !Self.remote(span).isSettled)
    other.deallocate(blocks[16..<128])
    #expect(span.use == .availableSpan && Self.remote(span).count == 112)
    owner.collectIncoming()
    #expect(span.use == .reserved && owner.fields.idleCount == 1 && heaps.hasTrueAccount(owner))
  }

  @Test("Own frees and those of others come together in one list")
  func splice() throws {
    let heaps = try TestHeaps()
    let owner = try heaps.make()
    let other = try heaps.make()
    let blocks = try owner.allocate(512, count: 8)
    let span = heaps.span(of: blocks[0])
    owner.deallocate(blocks[..<3])
    other.deallocate(blocks[3..<6])
    other.flushOutgoing()
    owner.collectIncoming()
    #expect(linkedBlocks(span.free) == [5, 4, 3, 2, 1, 0].map { blocks[$0] } && span.freeCount == 6)
  }

  @Test("A block that is free is on some list, wherever it waits; a block in use is on none, though it looks free")
  func listed() throws {
    let heaps = try TestHeaps()
    let owner = try heaps.make()
    let other = try heaps.make()
    let blocks = try owner.allocate(512, count: 32)
    let span = heaps.span(of: blocks[0])
    func isListed(_ index: Int) -> Bool { owner.isListed(FreeBlock(blocks[index]), of: span) }
    #expect(owner.active(SizeClass(fitting: 512)) == 0)
    owner.deallocate(blocks[..<2])
    #expect(isListed(0) && isListed(1), "the span's list")
    other.deallocate(blocks[2..<4])
    #expect(!isListed(2) && other.isOutgoing(FreeBlock(blocks[2]), of: span))
    other.flushOutgoing()
    #expect(isListed(2) && isListed(3) && !other.isOutgoing(FreeBlock(blocks[2]), of: span))
    #expect(try owner.allocate(512) == blocks[1])
    #expect(isListed(0) && !isListed(1), "the active list")
    // The program copies what freed memory held.
    for index in 8..<16 {
      FreeBlock(blocks[index]).next = blocks[(index + 1) % 16]
      FreeBlock(blocks[index]).markWord = FreeBlock.mark
      #expect(!isListed(index) && !other.isOutgoing(FreeBlock(blocks[index]), of: span))
    }
  }

  @Test("A list that the program wrote over ends the search, and accuses nobody", arguments: [1, 0x10, .max] as [UInt])
  func listedThroughGarbage(garbage: UInt) throws {
    let heaps = try TestHeaps()
    let owner = try heaps.make()
    let blocks = try owner.allocate(512, count: 8)
    let span = heaps.span(of: blocks[0])
    owner.deallocate(blocks[..<4])
    FreeBlock(blocks[2]).next = garbage
    #expect(owner.isListed(FreeBlock(blocks[3]), of: span) && owner.isListed(FreeBlock(blocks[2]), of: span))
    #expect(!owner.isListed(FreeBlock(blocks[0]), of: span))
    FreeBlock(blocks[2]).next = blocks[7]
    FreeBlock(blocks[7]).markWord = 0
    #expect(!owner.isListed(FreeBlock(blocks[0]), of: span))
    // A circle.
    FreeBlock(blocks[2]).next = blocks[3]
    #expect(!owner.isListed(FreeBlock(blocks[0]), of: span))
    FreeBlock(blocks[2]).next = blocks[1]
    #expect(owner.isListed(FreeBlock(blocks[0]), of: span))
  }
}
