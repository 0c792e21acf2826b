import Addresses
import FirstFitHeap
import HeapBlocks
import LabTestSupport
import Testing

@testable import HeapSpaces

@Suite("Granules of an arena")
struct ArenaPartTests {
  /// The entry of a block at an offset in its granule, as its header would make it.
  private static func entry(offset: UInt, blockByteCount: UInt, classIndex: UInt = 5) -> ArenaEntry {
    ArenaEntry(word: offset | 1 | classIndex << 16 | blockByteCount << 24)
  }

  /// A granule of an arena of which no block starts anywhere.
  private static func makePart(in space: HeapSpace) throws -> (part: ArenaPart, start: UInt) {
    let granule = try #require(space.allocateGranule())
    granule.arenaPart.begin(epoch: 0, arena: 0)
    return (granule.arenaPart, space.start(of: granule))
  }

  @Test("An entry holds the block's place, size and class", arguments: [33 << 10, 1 << 20, 4 << 20, 32 << 20])
  func packing(byteCount: UInt) throws {
    let memory = try #require(ReservedSpace(byteCount: 256 << 20))
    let address = memory.space.allocateInArena(byteCount: byteCount, alignment: 16)
    try #require(address != 0)
    let entry = ArenaEntry(of: address)
    #expect(entry.offset == address % Granule.byteCount)
    #expect(entry.byteCount >= byteCount && entry.byteCount < byteCount + 64)
    #expect(entry.blockByteCount == FirstFitHeap.blockByteCount(of: VirtAddr(address)))
    let largeClass = LargeClass(within: entry.byteCount)
    #expect(entry.classIndex == (largeClass.index < LargeClass.count ? largeClass.index : LargeClass.none))
    #expect(memory.space.granuleUnchecked(around: address).arenaPart.entry(of: address) == entry)
  }

  @Test("A granule has no entry, one, or two, in any order")
  func twoBlocks() throws {
    let memory = try #require(MemorySpace(byteCount: 1 << 20))
    let (part, start) = try Self.makePart(in: memory.space)
    let low = Self.entry(offset: 16, blockByteCount: 40 << 10)
    let high = Self.entry(offset: 0xFFF0, blockByteCount: 50 << 10)
    for (first, second) in [(low, high), (high, low)] {
      part.begin(epoch: 0, arena: 0)
      #expect(part.entry(of: start + first.offset) == .none)
      part.add(first)
      #expect(part.entry(of: start + first.offset) == first && part.entry(of: start + second.offset) == .none)
      part.add(second)
      #expect(part.entry(of: start + first.offset) == first && part.entry(of: start + second.offset) == second)
      // The first one goes, and another comes to its place.
      part.replace(start + first.offset, with: .none)
      #expect(part.entry(of: start + first.offset) == .none && part.entry(of: start + second.offset) == second)
      part.add(first)
      #expect(part.entry(of: start + first.offset) == first && part.entry(of: start + second.offset) == second)
      part.replace(start + second.offset, with: .none)
      #expect(part.entry(of: start + first.offset) == first && part.entry(of: start + second.offset) == .none)
    }
  }

  @Test("A block that grows or shrinks keeps its place, and the other one its entry")
  func replaceInPlace() throws {
    let memory = try #require(MemorySpace(byteCount: 1 << 20))
    let (part, start) = try Self.makePart(in: memory.space)
    let other = Self.entry(offset: 0xC000, blockByteCount: 33 << 10)
    part.add(Self.entry(offset: 0, blockByteCount: 36 << 10))
    part.add(other)
    let smaller = Self.entry(offset: 0, blockByteCount: 34 << 10)
    part.replace(start, with: smaller)
    #expect(part.entry(of: start) == smaller && part.entry(of: start + 0xC000) == other)
  }

  @Test("No address but a block's own has an entry: none inside, none beside, none where a granule is empty")
  func foreignAddresses() throws {
    let memory = try #require(MemorySpace(byteCount: 1 << 20))
    let (part, start) = try Self.makePart(in: memory.space)
    #expect((0..<65536).allSatisfy { part.entry(of: start + $0) == .none })
    let offsets: [UInt] = [0x0030, 0x9000]
    for offset in offsets { part.add(Self.entry(offset: offset, blockByteCount: 34 << 10)) }
    for offset in UInt(0)..<65536 where (part.entry(of: start + offset) != .none) != offsets.contains(offset) {
      Issue.record("offset \(offset)")
    }
  }

  @Test("A block is in use while it has no mark and its header is whole")
  func entryInUse() throws {
    let memory = try #require(MemorySpace(byteCount: 1 << 20))
    let address = memory.space.allocateInArena(byteCount: 40 << 10, alignment: 16)
    try #require(address != 0)
    let part = memory.space.granuleUnchecked(around: address).arenaPart
    let block = FreeBlock(address)
    #expect(part.entryInUse(of: block) == part.entry(of: address))
    #expect(part.entryInUse(of: FreeBlock(address + 1)) == nil && part.entryInUse(of: FreeBlock(address + 16)) == nil)
    block.markWord = FreeBlock.mark
    #expect(part.entryInUse(of: block) == nil)
    block.markWord = 0
    // Something writes past the end of the block below.
    TestMemory.setByte(0xEE, at: VirtAddr(address - BlockLayout.headerByteCount))
    #expect(part.entryInUse(of: block) == nil)
  }

  @Test("Two blocks of an arena that start in one granule are told apart")
  func neighbours() throws {
    let memory = try #require(MemorySpace(byteCount: 2 << 20))
    let space = memory.space
    let blocks = (0..<20).map { _ in space.allocateInArena(byteCount: 33 << 10, alignment: 16) }
    try #require(!blocks.contains(0))
    let granules = blocks.map { space.granuleUnchecked(around: $0) }
    #expect(zip(granules, granules.dropFirst()).contains { $0 == $1 }, "some granule has two")
    for (block, granule) in zip(blocks, granules) {
      #expect(granule.arenaPart.entry(of: block) == ArenaEntry(of: block))
    }
    for block in blocks.indices where block % 2 == 0 { space.deallocateInArena(blocks[block]) }
    for (index, block) in blocks.enumerated() {
      #expect((granules[index].arenaPart.entry(of: block) != .none) == (index % 2 == 1))
    }
  }
}
