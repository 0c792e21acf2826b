import Addresses
import HeapBlocks
import LabTestSupport
import MemoryRegions
import Testing

@testable import HeapSpaces

/// What a child of fork does when another thread of its parent held a lock.
@Suite("Spaces in a child of fork")
struct HeapSpaceForkTests {
  @Test("A new buddy begins behind what was committed; the old granules stay as they are")
  func abandonFrames() throws {
    let memory = try #require(ReservedSpace(byteCount: 64 << 20))
    let space = memory.space
    let old = try (0..<3).map { _ in try #require(space.allocateGranule()) }
    let record = space.allocateRecord(byteCount: 64)
    for granule in old { TestMemory.setByte(0x77, at: VirtAddr(space.start(of: granule))) }
    let end = space.committedEnd
    space.abandonFrames()
    let new = try #require(space.allocateGranule())
    let first = UInt(space.number(of: new))
    #expect(first > end && space.granule(UInt32(first - 1)).use == .metadata, "a new head comes first")
    TestMemory.setByte(0x88, at: VirtAddr(space.start(of: new)))
    // The old buddy, half changed perhaps, is never asked again.
    space.deallocate(old[1])
    #expect(old[1].use == .reserved)
    for granule in old { #expect(TestMemory.byte(at: VirtAddr(space.start(of: granule))) == 0x77) }
    let next = space.allocateRecord(byteCount: 64)
    #expect(next != 0 && UInt(space.number(of: space.granuleUnchecked(around: next))) > end, "\(record)")
    space.deallocate(new)
    #expect(space.allocateGranule() == new)
    try space.checkChunks()
    var count: UInt = 2
    while space.allocateGranule() != nil { count += 1 }
    #expect(count == space.fields.granuleCount - first)
  }

  @Test("Where everything is committed there is no buddy any more")
  func nothingLeft() throws {
    let memory = try #require(MemorySpace(byteCount: 4 << 20))
    let space = memory.space
    let granule = try #require(space.allocateGranule())
    space.abandonFrames()
    #expect(space.allocateGranule() == nil && space.allocateRecord(byteCount: 64) == 0)
    #expect(space.allocateInArena(byteCount: 40 << 10, alignment: 16) == 0)
    space.deallocate(granule)
    #expect(space.allocateGranule() == nil)
  }

  @Test("Arenas of a space whose buddy was abandoned grow, shrink and go back, but never into the old granules")
  func arenasAfterFrames() throws {
    let memory = try #require(ReservedSpace(byteCount: 256 << 20))
    let space = memory.space
    let old = (0..<8).map { _ in space.allocateInArena(byteCount: 1 << 20, alignment: 16) }
    try #require(!old.contains(0))
    let end = space.committedEnd
    space.abandonFrames()
    // The arenas themselves are whole, and may go on.
    for block in old.dropFirst() { space.deallocateInArena(block) }
    #expect(space.resizeInArena(old[0], byteCount: 40 << 10))
    let new = (0..<40).map { _ in space.allocateInArena(byteCount: 1 << 20, alignment: 16) }
    #expect(!new.contains(0))
    for block in new { space.deallocateInArena(block) }
    space.deallocateInArena(old[0])
    space.purgeArenas(.demand)
    _ = space.reclaimArenas()
    try space.checkChunks()
    let granule = try #require(space.allocateGranule())
    #expect(UInt(space.number(of: granule)) >= end)
  }

  @Test("New arenas begin without a range; old blocks keep their size and their bytes, and are dropped when freed")
  func abandonArena() throws {
    let memory = try #require(ReservedSpace(byteCount: 256 << 20))
    let space = memory.space
    let old = (0..<4).map { _ in space.allocateInArena(byteCount: 300 << 10, alignment: 16) }
    try #require(!old.contains(0))
    for block in old { TestMemory.setByte(0x77, at: VirtAddr(block + 200_000)) }
    let entries = old.map { space.granuleUnchecked(around: $0).arenaPart.entry(of: $0) }
    space.arena(0)?.abandon()
    #expect(space.arenaExtentByteCount == 0)
    for (block, entry) in zip(old, entries) {
      #expect(space.granuleUnchecked(around: block).arenaPart.entry(of: block) == entry)
      #expect(!space.resizeInArena(block, byteCount: 400 << 10) && !space.resizeInArena(block, byteCount: 100 << 10))
    }
    let oldGranules = Set(old.flatMap { Self.granules(of: $0, 300 << 10) })
    let new = (0..<8).map { _ in space.allocateInArena(byteCount: 300 << 10, alignment: 16) }
    #expect(!new.contains(0))
    #expect(oldGranules.isDisjoint(with: new.flatMap { Self.granules(of: $0, 300 << 10) }))
    for block in old {
      #expect(TestMemory.byte(at: VirtAddr(block + 200_000)) == 0x77)
      space.deallocateInArena(block)
      #expect(space.granuleUnchecked(around: block).arenaPart.entry(of: block) == .none)
    }
    // None of them became a hole.
    let last = (0..<8).map { _ in space.allocateInArena(byteCount: 300 << 10, alignment: 16) }
    #expect(oldGranules.isDisjoint(with: last.flatMap { Self.granules(of: $0, 300 << 10) }))
    for block in new + last { space.deallocateInArena(block) }
    try space.checkChunks()
    #expect(space.arenaUsedByteCount == 0)
  }

  @Test("A child of a child begins anew again")
  func twice() throws {
    let memory = try #require(ReservedSpace(byteCount: 256 << 20))
    let space = memory.space
    var blocks: [UInt] = []
    for _ in 0..<3 {
      blocks.append(space.allocateInArena(byteCount: 1 << 20, alignment: 16))
      let epochs = blocks.map { space.granuleUnchecked(around: $0).arenaPart.fields.epoch }
      #expect(!blocks.contains(0) && Set(epochs).count == blocks.count)
      space.arena(0)?.abandon()
      space.abandonFrames()
    }
    for block in blocks { space.deallocateInArena(block) }
    #expect(space.allocateInArena(byteCount: 1 << 20, alignment: 16) != 0)
  }

  private static func granules(of block: UInt, _ byteCount: UInt) -> ClosedRange<UInt> {
    block / Granule.byteCount...(block + byteCount) / Granule.byteCount
  }
}
