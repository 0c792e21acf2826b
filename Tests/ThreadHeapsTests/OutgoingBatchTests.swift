import HeapBlocks
import HeapSpaces
import LabTestSupport
import Testing

@testable import ThreadHeaps

@Suite("Outgoing batches")
struct OutgoingBatchTests {
  /// How many blocks of a size travel together: 64, or what fits into 4 KiB, but one at least.
  private static func most(_ size: UInt) -> Int { max(1, min(64, 4096 / Int(size))) }

  @Test("A batch fills up, links its blocks, and knows its first and its last", arguments: [16, 64, 100, 1024, 3000])
  func fills(byteCount: UInt) throws {
    let heaps = try TestHeaps()
    let heap = try heaps.make()
    let size = SizeClass(fitting: byteCount).blockByteCount
    let most = Self.most(size)
    let blocks = try heap.allocate(byteCount, count: most).shuffled()
    let span = heaps.span(of: blocks[0])
    let granule = heaps.space.number(of: span.granule)
    var batch = OutgoingBatch()
    let isEmpty = batch.granule == 0 && batch.blockCount == 0 && batch.first == 0 && !batch.isOf(granule)
    #expect(isEmpty)
    batch.begin(span, granule: granule)
    let isOfNone = !batch.isOf(granule) && !batch.isFull
    #expect(isOfNone, "it has no block yet")
    for (index, block) in blocks.enumerated() {
      // The block that would fill the batch is for the slow path.
      let isPushed = batch.push(FreeBlock(block), granule: granule)
      #expect(isPushed == (index < most - 1))
      let isPushedElsewhere = batch.push(FreeBlock(block), granule: granule + 64)
      #expect(!isPushedElsewhere)
      if !isPushed { batch.push(FreeBlock(block)) }
      let state = (batch.blockCount, batch.first, batch.last.address, batch.isFull, batch.isOf(granule))
      #expect(state == (UInt(index) + 1, block, blocks[0], index == most - 1, true))
    }
    let listed = linkedBlocks(batch.first)
    #expect(listed == blocks.reversed() && listed.allSatisfy { FreeBlock($0).looksFree })
    batch.clear()
    let isClear = batch.granule == 0 && batch.blockCount == 0 && batch.first == 0
    #expect(isClear)
  }

  @Test("Blocks wait in the batch until it is full, and then go home together")
  func goesHome() throws {
    let heaps = try TestHeaps()
    let owner = try heaps.make()
    let other = try heaps.make()
    let blocks = try owner.allocate(64, count: 150)
    let span = heaps.span(of: blocks[0])
    func remote() -> RemoteList { RemoteList(word: span.fields.remote.load(ordering: .relaxed)) }
    for (index, block) in blocks.enumerated() {
      other.deallocate(block)
      #expect(remote().count == UInt(index + 1) / 64 * 64)
      #expect(other.isOutgoing(FreeBlock(block), of: span) == ((index + 1) % 64 != 0))
    }
    let start = heaps.space.start(of: span.granule)
    #expect(linkedBlocks(remote().first(from: start)) == (0..<128).reversed().map { blocks[$0] })
    #expect(other.listedByteCount == 22 * 64, "the others are on their way")
    other.flushOutgoing()
    #expect(remote().count == 150 && other.listedByteCount == 0)
    #expect(!other.isOutgoing(FreeBlock(blocks[149]), of: span))
    other.flushOutgoing()
    #expect(remote().count == 150)
  }

  @Test("Blocks of many spans travel in batches of their own")
  func manySpans() throws {
    let heaps = try TestHeaps()
    let owner = try heaps.make()
    let other = try heaps.make()
    let spans = try (0..<20).map { try owner.allocate(UInt(16 + 16 * $0), count: 3) }
    for round in 0..<3 {
      for blocks in spans { other.deallocate(blocks[round]) }
    }
    for blocks in spans {
      let span = heaps.span(of: blocks[0])
      #expect(blocks.allSatisfy { other.isOutgoing(FreeBlock($0), of: span) })
      #expect(RemoteList(word: span.fields.remote.load(ordering: .relaxed)).isEmpty)
    }
  }

  @Test("Another span in the same place sends the blocks before it home")
  func samePlace() throws {
    let heaps = try TestHeaps()
    let owner = try heaps.make()
    let other = try heaps.make()
    // 64 spans of 16 blocks each lie between them.
    let blocks = try owner.allocate(4096, count: 16 * OutgoingBatch.count)
    let small = try owner.allocate(64, count: 2)
    let far = heaps.span(of: small[0])
    let near = try #require(
      blocks.map { heaps.span(of: $0) }.first {
        heaps.space.number(of: far.granule) == heaps.space.number(of: $0.granule) + UInt32(OutgoingBatch.count)
      })
    _ = near
    other.deallocate(small[0])
    #expect(other.isOutgoing(FreeBlock(small[0]), of: far))
    #expect(RemoteList(word: far.fields.remote.load(ordering: .relaxed)).isEmpty)
    let block = try #require(blocks.first { heaps.span(of: $0) == near })
    other.deallocate(block)
    #expect(!other.isOutgoing(FreeBlock(small[0]), of: far))
    func first(_ span: BlockSpan) -> UInt {
      RemoteList(word: span.fields.remote.load(ordering: .relaxed)).first(from: heaps.space.start(of: span.granule))
    }
    #expect(first(far) == small[0])
    #expect(first(near) == block, "alone it is a batch")
  }

  @Test("The hot path adds to a batch that another path began, and to no other")
  func hotPath() throws {
    let heaps = try TestHeaps()
    let owner = try heaps.make()
    let other = try heaps.make()
    let blocks = try owner.allocate(64, count: 65)
    let granule = heaps.space.number(of: heaps.span(of: blocks[0]).granule)
    #expect(!other.pushOutgoing(FreeBlock(blocks[0]), granule: granule))
    other.deallocate(blocks[0])
    #expect((1..<63).allSatisfy { other.pushOutgoing(FreeBlock(blocks[$0]), granule: granule) })
    #expect(!other.pushOutgoing(FreeBlock(blocks[63]), granule: granule), "it would fill the batch")
    other.deallocate(blocks[63])
    #expect(other.pushOutgoing(FreeBlock(blocks[64]), granule: granule), "more of the span are to be expected")
    #expect(other.listedByteCount == 64)
  }
}
