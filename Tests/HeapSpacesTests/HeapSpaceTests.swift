import Addresses
import HeapBlocks
import LabTestSupport
import MemoryRegions
import Testing

@testable import HeapSpaces

@Suite("Spaces and their granules")
struct HeapSpaceTests {
  /// Takes every granule that a space has.
  private static func takeAll(_ space: HeapSpace) -> [Granule] {
    var granules: [Granule] = []
    while let granule = space.allocateGranule() { granules.append(granule) }
    return granules
  }

  /// Whether so many bytes are all 0.
  private static func isZero(_ start: UInt, _ byteCount: UInt) -> Bool {
    (0..<byteCount).allSatisfy { TestMemory.byte(at: VirtAddr(start + $0)) == 0 }
  }

  @Test("A range without room for the tables and one granule more is no space")
  func tooShort() {
    let memory = TestMemory(byteCount: 1 << 20)
    let base = memory.range.alignedInward(to: Granule.byteCount).start.raw
    #expect(HeapSpace.create(base: base, byteCount: 0) == nil)
    #expect(HeapSpace.create(base: base, byteCount: 2 * Granule.byteCount - 1) == nil)
    #expect(HeapSpace.create(base: base, byteCount: 2 * Granule.byteCount) != nil)
  }

  @Test("Numbers, descriptors and addresses of granules belong together")
  func numbers() throws {
    let memory = try #require(MemorySpace(byteCount: 4 << 20))
    let space = memory.space
    for number in UInt32(space.fields.firstGranule)..<UInt32(space.fields.granuleCount) {
      let granule = space.granule(number)
      let start = space.start(of: granule)
      #expect(start == space.fields.base + UInt(number) * Granule.byteCount)
      #expect(granule.address == space.fields.table + UInt(number) * 64)
      #expect(space.number(of: granule) == number && space.granuleNumber(VirtAddr(start)) == UInt(number))
      for offset in [0, 1, 65535] as [UInt] {
        #expect(space.granule(around: start + offset) == granule)
        #expect(space.granuleUnchecked(around: start + offset) == granule)
      }
    }
  }

  @Test("No granule is around the tables, nor around what lies outside")
  func outside() throws {
    let memory = try #require(MemorySpace(byteCount: 4 << 20))
    let space = memory.space
    let base = space.fields.base
    let end = base + space.fields.granuleCount * Granule.byteCount
    let first = base + space.fields.firstGranule * Granule.byteCount
    for address in [0, 1, base - 1, base, first - 1, end, end + 65536, .max] {
      #expect(space.granule(around: address) == nil)
    }
    #expect(space.granule(around: first) != nil && space.granule(around: end - 1) != nil)
  }

  @Test("A caller's memory is given out to the last granule, lowest first, and again")
  func callersMemory() throws {
    let memory = try #require(MemorySpace(byteCount: 4 << 20))
    let space = memory.space
    #expect(space.fields.ownsMapping == false)
    let granules = Self.takeAll(space)
    #expect(granules.count == Int(space.fields.granuleCount - space.fields.firstGranule))
    #expect(granules.map { UInt(space.number(of: $0)) } == Array(space.fields.firstGranule..<space.fields.granuleCount))
    for granule in [granules[7], granules[3], granules[20]] {
      space.deallocate(granule)
      #expect(granule.use == .free)
    }
    #expect(Self.takeAll(space) == [granules[3], granules[7], granules[20]])
    #expect(granules.allSatisfy { $0.use == .reserved })
  }

  @Test("Address space is committed in steps, and its owner hears of each")
  func commits() throws {
    try TestOwner.with { owner in
      let memory = try #require(ReservedSpace(byteCount: 64 << 20))
      let space = memory.space
      let first = space.fields.firstGranule
      #expect(owner.committedEnds.isEmpty && space.committedEnd == first && space.fields.ownsMapping)
      #expect(space.granule(around: space.fields.base + first * Granule.byteCount) == nil)
      var count: UInt = 0
      while let granule = space.allocateGranule() {
        count += 1
        #expect(owner.committedEnds.last == space.committedEnd)
        #expect(UInt(space.number(of: granule)) < space.committedEnd)
        TestMemory.setByte(1, at: VirtAddr(space.start(of: granule) + Granule.byteCount - 1))
      }
      #expect(count == space.fields.granuleCount - first)
      let ends = owner.committedEnds
      #expect(ends.first == first + 64 && ends.last == space.fields.granuleCount)
      #expect(zip(ends, ends.dropFirst()).allSatisfy { $0 < $1 } && ends.count <= 16)
    }
  }

  @Test("Large blocks commit what they need at once")
  func commitsForArenas() throws {
    try TestOwner.with { owner in
      let memory = try #require(ReservedSpace(byteCount: 256 << 20))
      let block = memory.space.allocateInArena(byteCount: 50 << 20, alignment: 16)
      try #require(block != 0)
      #expect(owner.committedEnds == [memory.space.committedEnd])
      #expect(memory.space.committedEnd * Granule.byteCount >= 50 << 20)
      TestMemory.setByte(1, at: VirtAddr(block + 50 << 20 - 1))
    }
  }

  @Test("Records are zeroed, apart, and in granules of their own", arguments: [64, 4096])
  func records(byteCount: UInt) throws {
    let memory = try #require(MemorySpace(byteCount: 4 << 20))
    let space = memory.space
    // The memory was used before.
    let granules = Self.takeAll(space)
    for granule in granules {
      for offset in stride(from: UInt(0), to: Granule.byteCount, by: 8) {
        TestMemory.setByte(0xEE, at: VirtAddr(space.start(of: granule) + offset))
      }
    }
    for granule in granules { space.deallocate(granule) }
    var last: UInt = 0
    for _ in 0..<(2 * Granule.byteCount / byteCount) {
      let record = space.allocateRecord(byteCount: byteCount)
      try #require(record != 0)
      #expect(record >= last + byteCount || last == 0)
      #expect(space.granule(around: record)?.use == .metadata)
      #expect(Self.isZero(record, byteCount))
      TestMemory.setByte(1, at: VirtAddr(record))
      last = record
    }
    #expect(granules.filter { $0.use == .metadata }.count == 2)
  }

  @Test("Without granules there is no record, and no arena")
  func exhausted() throws {
    let memory = try #require(MemorySpace(byteCount: 1 << 20))
    let space = memory.space
    let granules = Self.takeAll(space)
    #expect(space.allocateRecord(byteCount: 64) == 0)
    #expect(space.allocateInArena(byteCount: 33 << 10, alignment: 16) == 0)
    space.deallocate(granules[0])
    #expect(space.allocateRecord(byteCount: 64) != 0)
  }

  @Test("A span finds the granules that an arena does not need")
  func reclaims() throws {
    let memory = try #require(MemorySpace(byteCount: 16 << 20))
    let space = memory.space
    let block = space.allocateInArena(byteCount: 3 << 20, alignment: 16)
    try #require(block != 0)
    let beside = Self.takeAll(space)
    space.deallocateInArena(block)
    let count = beside.count + Self.takeAll(space).count
    #expect(count == Int(space.fields.granuleCount - space.fields.firstGranule))
  }
}
