import HeapSpaces
import LabTestSupport
import Testing

@testable import ThreadHeaps

/// Spans that change hands: of each class 64 blocks of 1 KiB, so that a batch of four never waits.
@Suite("Claims")
struct ClaimTests {
  private static let size: UInt = 1024
  private static let capacity = 64

  /// A heap with so many full spans and one with a single block.
  private static func fill(_ owner: ThreadHeap, spanCount: Int) throws -> [[UInt]] {
    let blocks = try owner.allocate(size, count: spanCount * capacity + 1)
    return (0..<spanCount).map { Array(blocks[$0 * capacity..<($0 + 1) * capacity]) }
  }

  @Test("Once eight complete spans wait for their owner, who completed the last has them all")
  func eight() throws {
    let heaps = try TestHeaps()
    let owner = try heaps.make()
    let other = try heaps.makeLarge()
    let filled = try Self.fill(owner, spanCount: 12)
    let spans = filled.map { heaps.span(of: $0[0]) }
    for (index, blocks) in filled.prefix(8).enumerated() {
      #expect(spans.prefix(index).allSatisfy(owner.owns) && other.fields.idleCount == 0)
      other.deallocate(blocks)
    }
    #expect(spans.prefix(8).allSatisfy { $0.owner == 0 && $0.use == .reserved && $0.freeCount == Self.capacity })
    #expect(other.fields.idleCount == 8 && !owner.hasComplete)
    #expect(spans.suffix(4).allSatisfy { owner.owns($0) && $0.use == .fullSpan })
    // They serve the other heap next, and no new granule is needed.
    let granuleCount = heaps.space.freeGranuleCount
    let again = try other.allocate(Self.size, count: 8 * Self.capacity)
    #expect(Set(again) == Set(filled.prefix(8).joined()) && spans.prefix(8).allSatisfy(other.owns))
    #expect(heaps.space.freeGranuleCount == granuleCount)
  }

  @Test("A span with a block in use, one that the owner allocates from, and one with own free blocks stay")
  func incomplete() throws {
    let heaps = try TestHeaps()
    let owner = try heaps.make()
    let other = try heaps.make()
    let filled = try Self.fill(owner, spanCount: 12)
    let spans = filled.map { heaps.span(of: $0[0]) }
    let current = try owner.allocate(Self.size, count: Self.capacity - 1)
    // One block in use; one block on the owner's own list; all blocks of the current span, whose owner goes on with it.
    other.deallocate(filled[0].dropFirst())
    owner.deallocate(filled[1][0])
    other.deallocate(filled[1].dropFirst())
    other.deallocate(current)
    for blocks in filled[2..<10] { other.deallocate(blocks) }
    other.flushOutgoing()
    #expect(spans[2..<10].allSatisfy { $0.owner == 0 })
    #expect(owner.owns(spans[0]) && owner.owns(spans[1]) && owner.owns(heaps.span(of: current[0])))
    // What was put back on the stack is the owner's, to the last block.
    owner.collectIncoming()
    #expect(spans[0].freeCount == 63 && spans[0].use == .availableSpan)
    #expect(spans[1].use == .reserved && heaps.span(of: current[0]).freeCount == 63)
    let content = Set(try owner.allocate(Self.size, count: 63 + 63))
    #expect(content.isSubset(of: Set(filled[0] + filled[1] + current)))
  }

  @Test("Who grows claims before, be it a single span; who does not give back claims nothing")
  func beforeGrowth() throws {
    let heaps = try TestHeaps()
    let owner = try heaps.make()
    let other = try heaps.make()
    let third = try heaps.make()
    let filled = try Self.fill(owner, spanCount: 2)
    other.deallocate(filled[0])
    #expect(owner.hasComplete)
    let block = try third.allocate(64)
    #expect(!filled[0].contains(block / Self.size * Self.size) && owner.owns(heaps.span(of: filled[0][0])))
    let claimed = try other.allocate(64)
    #expect(heaps.span(of: claimed) == heaps.span(of: filled[0][0]) && !owner.hasComplete)
  }

  @Test("An owner that looks has its spans, and nothing is left to claim")
  func ownerFirst() throws {
    let heaps = try TestHeaps()
    let owner = try heaps.makeLarge()
    let other = try heaps.make()
    let filled = try Self.fill(owner, spanCount: 7)
    for blocks in filled { other.deallocate(blocks) }
    #expect(owner.hasComplete)
    owner.collectIncoming()
    #expect(!owner.hasComplete && owner.fields.idleCount == 7)
    _ = try other.allocate(64)
    #expect(owner.fields.idleCount == 7 && other.fields.idleCount == 0)
  }

  @Test("Both heaps' accounts of their bytes hold, once the owner has looked and before")
  func accounts() throws {
    let heaps = try TestHeaps()
    let owner = try heaps.make()
    let other = try heaps.make()
    let filled = try Self.fill(owner, spanCount: 20)
    for blocks in filled {
      other.deallocate(blocks)
      #expect(heaps.hasTrueAccount(owner) && heaps.hasTrueAccount(other))
    }
    #expect(owner.fields.claimedByteCount == 16 * Granule.byteCount)
    let held = owner.fields.heldByteCount
    owner.noteCollected()
    #expect(owner.fields.claimedByteCount == 0 && owner.fields.heldByteCount == held - 16 * Granule.byteCount)
    #expect(heaps.hasTrueAccount(owner))
    _ = try other.allocate(Self.size, count: 5 * Self.capacity)
    #expect(heaps.hasTrueAccount(other) && other.fields.heldByteCount == 5 * Granule.byteCount)
  }

  @Test("After a claim that put spans back, the next one waits until a quarter as many more are complete")
  func waitsAfterVain() throws {
    let heaps = try TestHeaps()
    let owner = try heaps.make()
    let other = try heaps.make()
    let filled = try Self.fill(owner, spanCount: 60)
    // Of 16 spans all but a block each is back.
    for blocks in filled[..<16] { other.deallocate(blocks.dropFirst(4)) }
    for blocks in filled[16..<24] { other.deallocate(blocks) }
    #expect(owner.fields.completeCount == -4 && heaps.span(of: filled[23][0]).owner == 0)
    for blocks in filled[24..<35] { other.deallocate(blocks) }
    #expect(owner.fields.completeCount == 7 && owner.owns(heaps.span(of: filled[34][0])))
    other.deallocate(filled[35])
    #expect(filled[24..<36].allSatisfy { heaps.span(of: $0[0]).owner != owner.fields.number })
    #expect(filled[..<16].allSatisfy { owner.owns(heaps.span(of: $0[0])) })
  }

  @Test("More than 16 claimed spans are too many to keep: the space has the others")
  func reserveIsBounded() throws {
    let heaps = try TestHeaps()
    let owner = try heaps.make()
    let other = try heaps.makeLarge()
    let filled = try Self.fill(owner, spanCount: 40)
    let freeCount = heaps.space.freeGranuleCount
    for blocks in filled { other.deallocate(blocks) }
    #expect(other.fields.idleCount == 16)
    #expect(heaps.space.freeGranuleCount == freeCount + 40 - 16)
  }
}
