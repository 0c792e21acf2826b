import Addresses
import LabTestSupport
import MemoryRegions
import Testing

@testable import HeapSpaces

@Suite("The row of chunks", .serialized)
struct HeapSpaceChunkTests {
  /// A space of at most `byteCount` bytes in a range that is only chosen. Other tests may be choosing the same one.
  private static func chosenSpace(byteCount: UInt) throws -> HeapSpace {
    for _ in 0..<100 {
      let range = try #require(HeapReservation.make(byteCount: byteCount, reserves: false))
      if let space = HeapSpace.create(over: range, hooks: TestOwner.hooks) { return space }
    }
    throw SystemError(17)
  }

  private static func release(_ space: HeapSpace) throws {
    if let range = space.fields.reservation { try SystemPages.unmap(range.base, byteCount: range.byteCount) }
  }

  /// Takes runs of 2^order granules until none is left, or `count` of them.
  private static func take(_ order: UInt8, of space: HeapSpace, count: Int = .max) -> [UInt] {
    var numbers: [UInt] = []
    while numbers.count < count, let granule = space.allocateArenaGranules(FrameOrder(order)) {
      numbers.append(UInt(space.number(of: granule)))
    }
    return numbers
  }

  private static func visited(_ space: HeapSpace) -> Set<UInt> {
    var numbers: Set<UInt> = []
    space.forEachGranule { numbers.insert(UInt($0)) }
    return numbers
  }

  @Test("Each chunk is as long as all before it together, up to 16 GiB; the last ends with the space")
  func lengths() throws {
    let memory = try #require(ReservedSpace(byteCount: 70 << 30))
    let space = memory.space
    var start: UInt = 0
    var lengths: [UInt] = []
    while start < space.fields.granuleCount {
      let end = space.chunkEnd(around: start)
      for number in [start, start + 1, (start + end) / 2, end - 1] {
        #expect(space.chunkStart(around: number) == start && space.chunkEnd(around: number) == end)
      }
      lengths.append((end - start) >> 14)
      start = end
    }
    #expect(start == space.fields.granuleCount)
    #expect(lengths.dropLast() == [1, 1, 2, 4, 8, 16, 16, 16])
  }

  @Test("A space grows chunk by chunk and gives out the lowest run, whichever chunk has it")
  func grows() throws {
    let memory = try #require(ReservedSpace(byteCount: 8 << 30))
    let space = memory.space
    // Where the chunk's head is, there is none.
    let large = Self.take(13, of: space)
    #expect(large == [1, 3, 5, 6, 7, 9, 10, 11, 12, 13, 14].map { $0 << 13 })
    let rest = Self.take(10, of: space)
    #expect(rest == rest.sorted() && Set(rest).count == rest.count && rest.first == 1 << 10)
    #expect(rest.contains { space.chunkStart(around: $0) == 1 << 16 })
    try space.checkChunks()
    for number in [rest[1], rest[rest.count - 1], rest[9]] {
      space.deallocateArenaGranules(from: number, count: 1 << 10)
    }
    #expect(Self.take(10, of: space) == [rest[1], rest[9], rest[rest.count - 1]])
    try space.checkChunks()
    // One granule at a time finds what is left of the first chunk.
    #expect(UInt(space.number(of: try #require(space.allocateGranule()))) == space.fields.firstGranule)
  }

  @Test("No run reaches into the next chunk's head")
  func ends() throws {
    let memory = try #require(ReservedSpace(byteCount: 4 << 30))
    let space = memory.space
    let first = try #require(Self.take(13, of: space, count: 1).first)
    #expect(!space.allocateArenaGranules(from: first + 1 << 13, count: 1), "that is where the next chunk begins")
    let second = try #require(Self.take(12, of: space, count: 1).first)
    #expect(space.allocateArenaGranules(from: second + 1 << 12, count: 100) == false, "the first run is there")
    #expect(Self.take(13, of: space, count: 1) == [3 << 13])
    #expect(space.granule(UInt32(1 << 14)).use == .metadata)
    #expect(!space.allocateArenaGranules(from: 1 << 14, count: 1))
    try space.checkChunks()
  }

  @Test("Where another mapping lies in the way, the space goes on behind it and leaves it alone", arguments: [0, 1, 5])
  func goesOnBehindMappings(chunkCount: UInt) throws {
    let space = try Self.chosenSpace(byteCount: 80 << 30)
    let first = try #require(space.allocateGranule())
    let page = SystemPages.byteCount
    // Right behind what is committed, and at the starts of the next chunks.
    var foreign = [space.fields.base + space.committedEnd * Granule.byteCount]
    var start: UInt = 1 << 14
    for _ in 0..<chunkCount {
      foreign.append(space.fields.base + start * Granule.byteCount)
      start = space.chunkEnd(around: start)
    }
    for address in foreign {
      try SystemPages.map(at: address, byteCount: page)
      TestMemory.setByte(0x5A, at: VirtAddr(address))
    }
    var numbers: Set<UInt> = [UInt(space.number(of: first))]
    for _ in 0..<3000 {
      let granule = try #require(space.allocateGranule())
      let number = UInt(space.number(of: granule))
      #expect(numbers.insert(number).inserted)
      TestMemory.setByte(0x11, at: VirtAddr(space.start(of: granule)))
    }
    #expect(space.allocateInArena(byteCount: 100 << 20, alignment: 16) != 0)
    let highest = try #require(numbers.max())
    #expect(highest >= start && space.chunkStart(around: highest) == start)
    let visited = Self.visited(space)
    #expect(numbers.isSubset(of: visited))
    for address in foreign {
      #expect(TestMemory.byte(at: VirtAddr(address)) == 0x5A)
      let number = (address - space.fields.base) / Granule.byteCount
      #expect(space.granule(around: address) == nil && !visited.contains(number))
      #expect(space.granule(UInt32(number)).use == .free, "its descriptor can be read")
    }
    space.purgeGranules(.demand)
    try space.checkChunks()
    try Self.release(space)
  }

  @Test("A mapping in the place of descriptors costs the chunk that they describe, and no more")
  func foreignTable() throws {
    let space = try Self.chosenSpace(byteCount: 32 << 30)
    let table = space.fields.table + (1 << 14) * Granule.recordByteCount
    try SystemPages.map(at: table, byteCount: SystemPages.byteCount)
    TestMemory.setByte(0x5A, at: VirtAddr(table))
    #expect(Self.take(13, of: space, count: 2) == [1 << 13, 5 << 13])
    #expect(TestMemory.byte(at: VirtAddr(table)) == 0x5A)
    #expect(Self.visited(space).allSatisfy { space.chunkStart(around: $0) != 1 << 14 })
    try space.checkChunks()
    try Self.release(space)
  }

  @Test("In a child of fork a head begins amid a chunk, and the row goes on behind it")
  func headAmidChunk() throws {
    let memory = try #require(ReservedSpace(byteCount: 8 << 30))
    let space = memory.space
    _ = Self.take(10, of: space, count: 3)
    space.abandonFrames()
    let end = space.committedEnd
    let numbers = Self.take(10, of: space, count: 40)
    #expect(numbers.count == 40 && numbers.allSatisfy { $0 > end })
    #expect(numbers.contains { $0 < 1 << 14 } && numbers.contains { $0 > 1 << 15 })
    try space.checkChunks()
  }
}
