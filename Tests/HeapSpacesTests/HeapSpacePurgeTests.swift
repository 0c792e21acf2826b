import Addresses
import HeapBlocks
import LabTestSupport
import MemoryRegions
import Testing

@testable import HeapSpaces

@Suite("What a space gives back")
struct HeapSpacePurgeTests {
  private static func fill(_ granule: Granule, of space: HeapSpace) {
    for page in UInt(0)..<16 { TestMemory.setByte(0xA5, at: VirtAddr(space.start(of: granule) + page * 4096)) }
    granule.fields.residentPages = .max
  }

  /// The pages of a granule, one bit each, that do not begin with a zero.
  private static func filledPages(_ granule: Granule, of space: HeapSpace) -> UInt16 {
    (UInt(0)..<16).reduce(0) { mask, page in
      let isFilled = TestMemory.byte(at: VirtAddr(space.start(of: granule) + page * 4096)) != 0
      return isFilled ? mask | 1 << UInt16(page) : mask
    }
  }

  @Test("Granules of nobody go, those in use stay")
  func granules() throws {
    let memory = try #require(ReservedSpace(byteCount: 64 << 20))
    let space = memory.space
    let granules = try (0..<12).map { _ in try #require(space.allocateGranule()) }
    for granule in granules { Self.fill(granule, of: space) }
    let freed = [0, 3, 4, 5, 11]
    for index in freed { space.deallocate(granules[index]) }
    space.purgeGranules(.demand)
    for (index, granule) in granules.enumerated() {
      let kept: UInt16 = freed.contains(index) ? 0 : .max
      #expect(Self.filledPages(granule, of: space) == kept && granule.fields.residentPages == kept, "granule \(index)")
    }
  }

  @Test("The pages that are named go, no others", arguments: [0, 1, 0x8000, 0x0FF0, 0x5A5A, .max] as [UInt16])
  func pages(pages: UInt16) throws {
    let memory = try #require(ReservedSpace(byteCount: 64 << 20))
    let space = memory.space
    let granules = try (0..<3).map { _ in try #require(space.allocateGranule()) }
    for granule in granules { Self.fill(granule, of: space) }
    space.decommit(pages: pages, of: granules[1])
    #expect(Self.filledPages(granules[1], of: space) == ~pages && granules[1].fields.residentPages == ~pages)
    for neighbour in [granules[0], granules[2]] { #expect(Self.filledPages(neighbour, of: space) == .max) }
  }

  @Test("Pages that the system refuses to take keep their note")
  func pinned() throws {
    let memory = try #require(ReservedSpace(byteCount: 64 << 20))
    let space = memory.space
    let granule = try #require(space.allocateGranule())
    Self.fill(granule, of: space)
    try SystemPages.pin(space.start(of: granule), byteCount: 4096, onFault: false)
    space.decommit(pages: 0b11, of: granule)
    #expect(granule.fields.residentPages & 1 == 1)
    space.deallocate(granule)
    space.purgeGranules(.demand)
    #expect(granule.fields.residentPages & 1 == 1)
  }

  @Test("Pinned pages of a hole stay noted as resident, also with others between them")
  func pinnedInHole() throws {
    let memory = try #require(ReservedSpace(byteCount: 64 << 20))
    let space = memory.space
    let blocks = (0..<3).map { _ in space.allocateInArena(byteCount: 1 << 20, alignment: 16) }
    try #require(!blocks.contains(0))
    space.deallocateInArena(blocks[0])
    space.purgeArenas(.demand)
    // Inside the hole, as if blocks had been there since.
    let granule = space.granuleUnchecked(around: blocks[0] + (512 << 10))
    for page in [1, 3] as [UInt] {
      let address = space.start(of: granule) + page * Granule.pageByteCount
      granule.fields.residentPages |= 1 << UInt16(page)
      TestMemory.setByte(0xA5, at: VirtAddr(address))
      try SystemPages.pin(address, byteCount: Granule.pageByteCount, onFault: false)
    }
    space.deallocateInArena(blocks[2])
    space.purgeArenas(.demand)
    // One call takes all pages from the first to the last, and notes them all when it is refused.
    #expect(granule.fields.residentPages & 0b1010 == 0b1010)
  }

  @Test("In a caller's memory nothing is given back")
  func callersMemory() throws {
    let memory = try #require(MemorySpace(byteCount: 16 << 20))
    let space = memory.space
    let block = space.allocateInArena(byteCount: 3 << 20, alignment: 16)
    try #require(block != 0)
    TestMemory.setByte(0xA5, at: VirtAddr(block + 1 << 20))
    space.deallocateInArena(block)
    space.purgeArenas(.demand)
    #expect(TestMemory.byte(at: VirtAddr(block + 1 << 20)) == 0xA5)
  }

  @Test("A wave of frees purges the arenas once more than an eighth is free, and at least 16 MiB")
  func arenas() throws {
    let memory = try #require(ReservedSpace(byteCount: 1 << 30))
    let space = memory.space
    let blocks = (0..<160).map { _ in space.allocateInArena(byteCount: 1 << 20, alignment: 16) }
    try #require(!blocks.contains(0))
    for block in blocks { TestMemory.setByte(0xA5, at: VirtAddr(block + 512 << 10)) }
    func isKept(_ block: UInt) -> Bool { TestMemory.byte(at: VirtAddr(block + 512 << 10)) != 0 }
    // Every other one, to leave holes between.
    var freed: [UInt] = []
    for block in blocks[..<40] where blocks.firstIndex(of: block)! % 2 == 0 {
      freed.append(block)
      space.deallocateInArena(block)
    }
    #expect(freed.allSatisfy(isKept), "20 MiB are exactly an eighth, or less")
    space.deallocateInArena(blocks[41])
    var pieceCount = 1
    while freed.contains(where: isKept) || isKept(blocks[41]), pieceCount < 200 {
      space.purgeArenas(.free)
      pieceCount += 1
    }
    #expect(pieceCount > 20 && pieceCount < 200, "a piece for each call")
    #expect(blocks[42...].allSatisfy(isKept))
    #expect(space.arena(0)?.fields.decay.freedByteCount == 0)
  }

  @Test("On demand whole granules go back to the buddy too, in a wave of frees they stay the arenas'")
  func cutsRanges() throws {
    let memory = try #require(ReservedSpace(byteCount: 256 << 20))
    let space = memory.space
    let blocks = (0..<40).map { _ in space.allocateInArena(byteCount: 1 << 20, alignment: 16) }
    let before = space.arenaExtentByteCount
    for block in blocks { space.deallocateInArena(block) }
    #expect(space.arenaExtentByteCount == before && space.arenaUsedByteCount == 0)
    space.purgeArenas(.demand)
    // Whatever the last purge took: what was freed after it made this one due.
    #expect(space.arenaExtentByteCount < before)
  }
}
