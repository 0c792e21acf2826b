import LabTestSupport
import Testing

@testable import HeapSpaces

@Suite("The quota of a space")
struct HeapSpaceQuotaTests {
  private let granule = Granule.byteCount

  @Test("Without a quota everything passes and nothing is counted")
  func none() throws {
    let memory = try #require(ReservedSpace(byteCount: 64 << 20))
    let space = memory.space
    #expect(space.quotaByteCount == .max && space.quotaRoom == .max)
    #expect(space.charge(byteCount: .max) && space.charge(byteCount: 1 << 40))
    #expect(space.fields.usedByteCount == 0)
    space.refund(byteCount: 1 << 40)
    #expect(space.charge(byteCount: .max) && space.fields.usedByteCount == 0)
  }

  @Test("Charges are counted up to the quota, refunds make room")
  func charges() throws {
    let memory = try #require(ReservedSpace(byteCount: 64 << 20))
    let space = memory.space
    space.setQuota(byteCount: 1000, mappedByteCount: 0)
    #expect(space.charge(byteCount: 600) && space.quotaRoom == 400)
    #expect(!space.charge(byteCount: 401) && space.quotaRoom == 400, "a charge that is refused counts nothing")
    #expect(space.charge(byteCount: 400) && space.quotaRoom == 0)
    #expect(space.charge(byteCount: 0) && !space.charge(byteCount: 1))
    space.refund(byteCount: 600)
    #expect(space.quotaRoom == 600)
    // What came before the quota was never counted, and may be refunded all the same.
    space.refund(byteCount: 5000)
    #expect(space.quotaRoom == 1000)
  }

  @Test("The first quota counts what is in use: granules of spans and records, blocks of arenas, mappings")
  func counts() throws {
    let memory = try #require(ReservedSpace(byteCount: 64 << 20))
    let space = memory.space
    let spans = (0..<5).compactMap { _ in space.allocateGranule() }
    for (granule, use) in zip(spans, [.fullSpan, .currentSpan, .availableSpan, .reserved] as [GranuleUse]) {
      granule.use = use
    }
    space.deallocate(spans[4])
    #expect(space.allocateRecord(byteCount: 4096) != 0)
    let blocks = (0..<3).map { _ in space.allocateInArena(byteCount: 100_000, alignment: 16) }
    space.deallocateInArena(blocks[1])
    let arenaByteCount = [blocks[0], blocks[2]].reduce(0) { $0 + ArenaEntry(of: $1).byteCount }
    let mapped: UInt = 3 << 20
    space.setQuota(byteCount: 32 << 20, mappedByteCount: mapped)
    #expect(32 << 20 - space.quotaRoom == 5 * granule + arenaByteCount + mapped)
    // A later quota is but another limit.
    space.setQuota(byteCount: 16 << 20, mappedByteCount: 0)
    #expect(16 << 20 - space.quotaRoom == 5 * granule + arenaByteCount + mapped)
  }

  @Test("Granules count while they are out")
  func granules() throws {
    let memory = try #require(ReservedSpace(byteCount: 64 << 20))
    let space = memory.space
    space.setQuota(byteCount: 4 * granule + 100, mappedByteCount: 0)
    let granules = (0..<5).map { _ in space.allocateGranule() }
    #expect(granules.map { $0 != nil } == [true, true, true, true, false])
    #expect(space.quotaRoom == 100 && space.allocateRecord(byteCount: 64) == 0)
    space.deallocate(try #require(granules[2]))
    #expect(space.quotaRoom == granule + 100)
    #expect(space.allocateRecord(byteCount: 64) != 0 && space.quotaRoom == 100)
    #expect(space.allocateRecord(byteCount: 64) != 0, "the granule of the first record has room for more")
  }

  @Test("Blocks of arenas count with their bytes, the runs that they lie in do not")
  func arenas() throws {
    let memory = try #require(ReservedSpace(byteCount: 64 << 20))
    let space = memory.space
    space.setQuota(byteCount: 1 << 20, mappedByteCount: 0)
    let block = space.allocateInArena(byteCount: 600 << 10, alignment: 16)
    try #require(block != 0)
    #expect(1 << 20 - space.quotaRoom == ArenaEntry(of: block).byteCount)
    #expect(space.arenaExtentByteCount >= 1 << 20)
    #expect(space.allocateInArena(byteCount: 500 << 10, alignment: 16) == 0)
    #expect(!space.resizeInArena(block, byteCount: 1100 << 10))
    #expect(1 << 20 - space.quotaRoom == ArenaEntry(of: block).byteCount, "what was refused is not counted")
    #expect(space.resizeInArena(block, byteCount: 800 << 10))
    #expect(
      1 << 20 - space.quotaRoom == ArenaEntry(of: block).byteCount && ArenaEntry(of: block).byteCount >= 800 << 10)
    #expect(space.resizeInArena(block, byteCount: 100 << 10))
    #expect(1 << 20 - space.quotaRoom == ArenaEntry(of: block).byteCount)
    space.deallocateInArena(block)
    #expect(space.quotaRoom == 1 << 20)
  }

  @Test("A quota below what is in use takes nothing, and refuses until there is room")
  func lowered() throws {
    let memory = try #require(ReservedSpace(byteCount: 64 << 20))
    let space = memory.space
    let granules = try (0..<8).map { _ in try #require(space.allocateGranule()) }
    space.setQuota(byteCount: 4 * granule, mappedByteCount: 0)
    #expect(space.quotaRoom == 0)
    for (number, granule) in granules.enumerated() {
      #expect(granule.use == .reserved)
      #expect(space.charge(byteCount: 1) == (number > 4), "after \(number) went back")
      if number > 4 { space.refund(byteCount: 1) }
      space.deallocate(granule)
    }
    #expect(space.quotaRoom == 4 * granule)
  }
}
