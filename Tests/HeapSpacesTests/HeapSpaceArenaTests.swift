import Addresses
import BuddyFrames
import Foundation
import HeapBlocks
import LabTestSupport
import MemoryRegions
import Testing

@testable import HeapSpaces

/// The arenas of a space whose memory is the system's: what it knows of pages and granules, at every step.
@Suite struct HeapSpaceArenaTests {
  private struct Held {
    let address: UInt
  }

  @Test("A page that is not noted reads as zeros, whatever was allocated, refused and freed", arguments: [1, 2])
  func notesWhatIsWritten(seed: UInt64) throws {
    let memory = try #require(ReservedSpace(byteCount: 256 << 20))
    let space = memory.space
    var generator = SeededGenerator(seed: seed)
    var held: [Held] = []
    for step in 0..<6_000 {
      // Low enough to refuse a part of the requests.
      if step % 16 == 0 { space.quotaByteCount = UInt.random(in: (8 << 20)...(64 << 20), using: &generator) }
      switch Int.random(in: 0..<100, using: &generator) {
      case 0..<55:
        let byteCount = UInt.random(in: 0...(1 << UInt.random(in: 15...21, using: &generator)), using: &generator)
        let alignment: UInt = 1 << UInt.random(in: 4...23, using: &generator)
        let address = space.allocateInArena(
          byteCount: byteCount, alignment: Bool.random(using: &generator) ? alignment : 16)
        guard address != 0 else { continue }
        held.append(Held(address: address))
        Self.touch(space, held[held.count - 1])
      case 55..<70 where !held.isEmpty:
        let block = held[Int.random(in: 0..<held.count, using: &generator)]
        _ = space.resizeInArena(block.address, byteCount: UInt.random(in: (33 << 10)...(3 << 20), using: &generator))
        Self.touch(space, block)
      case 70..<98 where !held.isEmpty:
        let block = held.remove(at: Int.random(in: 0..<held.count, using: &generator))
        space.deallocateInArena(block.address)
      case 98: space.purgeArenas(.demand)
      default: _ = space.reclaimArenas()
      }
      if step % 300 == 299 {
        try #require(Self.firstUnnotedPage(of: space) == nil, "seed \(seed), step \(step)")
      }
    }
  }

  @Test("Empty arenas give all their granules back, and a live block only its own keep", arguments: [3, 4])
  func givesGranulesBack(seed: UInt64) throws {
    let memory = try #require(ReservedSpace(byteCount: 256 << 20))
    let space = memory.space
    var generator = SeededGenerator(seed: seed)
    let freeCount = space.freeGranuleCount
    for _ in 0..<20 {
      var held: [Held] = []
      var spans: [Granule] = []
      while held.count < 40 {
        // Spans' granules between the arenas' make these begin new ranges.
        if Int.random(in: 0..<8, using: &generator) == 0 {
          spans.append(try #require(space.allocateGranule()))
        }
        let byteCount = UInt.random(in: (33 << 10)...(2 << 20), using: &generator)
        let address = space.allocateInArena(byteCount: byteCount, alignment: 16)
        try #require(address != 0)
        held.append(Held(address: address))
      }
      held.shuffle(using: &generator)
      while let block = held.popLast() {
        space.deallocateInArena(block.address)
        if held.count % 13 == 0 { _ = space.reclaimArenas() }
        let arenaGranuleCount = UInt64(space.arenaExtentByteCount / Granule.byteCount)
        #expect(space.freeGranuleCount + arenaGranuleCount + UInt64(spans.count) == freeCount)
      }
      #expect(space.arenaExtentByteCount == 0)
      try space.checkChunks()
      for granule in spans { space.deallocate(granule) }
    }
  }

  @Test("An arena grows only when no other one has room, and the thread then keeps to the one that had")
  func growsLast() throws {
    let memory = try #require(ReservedSpace(byteCount: 256 << 20))
    let space = memory.space
    var home: UInt8 = 1
    let blocks = try (0..<100).map { _ in
      let block = space.allocateInArena(byteCount: 100_000, alignment: 16, home: &home)
      return try #require(block == 0 ? nil : block)
    }
    home = 0
    var extents = [space.arenaExtentByteCount]
    // Nearly full, the other arena is not looked at: this one gets a range.
    var address = space.allocateInArena(byteCount: 100_000, alignment: 16, home: &home)
    #expect(address != 0 && home == 0)
    extents.append(space.arenaExtentByteCount)
    #expect(extents[1] > extents[0])
    for block in blocks.prefix(50) { space.deallocateInArena(block) }
    for _ in 0..<59 {
      address = space.allocateInArena(byteCount: 100_000, alignment: 16, home: &home)
      #expect(address != 0)
    }
    #expect(home == 1 && space.arenaExtentByteCount == extents[1], "nine more in its own range, fifty in the other's")
    while space.arenaExtentByteCount == extents[1] {
      address = space.allocateInArena(byteCount: 100_000, alignment: 16, home: &home)
    }
    #expect(address != 0 && home == 1, "no arena had room: the home grew")
  }

  @Test("A request that no range can hold takes no granule")
  func refusesWithoutGrowing() throws {
    let memory = try #require(ReservedSpace(byteCount: 64 << 30))
    let space = memory.space
    let block = space.allocateInArena(byteCount: 100_000, alignment: 16)
    #expect(block != 0)
    let before = space.arenaExtentByteCount
    for gibibytes in [16, 17, 40] as [UInt] {
      #expect(space.allocateInArena(byteCount: gibibytes << 30, alignment: 16) == 0)
      #expect(!space.resizeInArena(block, byteCount: gibibytes << 30))
    }
    #expect(space.arenaExtentByteCount == before)
  }

  /// Writes to every page of a block.
  private static func touch(_ space: HeapSpace, _ block: Held) {
    let end = block.address + space.granuleUnchecked(around: block.address).arenaPart.entry(of: block.address).byteCount
    for page in stride(from: block.address, to: end, by: 4096) { TestMemory.setByte(0xA5, at: VirtAddr(page)) }
    TestMemory.setByte(0xA5, at: VirtAddr(end - 1))
  }

  /// The first page that is not noted as having memory behind it, yet has something else than zeros in it.
  private static func firstUnnotedPage(of space: HeapSpace) -> UInt? {
    let zeros = [UInt8](repeating: 0, count: 4096)
    for number in space.fields.firstGranule..<space.committedEnd {
      let granule = space.granule(UInt32(number))
      for page in UInt(0)..<16 where granule.fields.residentPages & 1 << UInt16(page) == 0 {
        let address = space.start(of: granule) + page << 12
        // SAFETY: the page lies in the space and is committed.
        let differs = unsafe memcmp(VirtAddr(address).unsafePointer, zeros, 4096) != 0
        if differs { return address }
      }
    }
    return nil
  }
}
