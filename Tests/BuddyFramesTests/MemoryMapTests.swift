import Addresses
import BuddyFrames
import LabTestSupport
import Testing

@Suite struct MemoryMapTests {
  private static func range(_ start: UInt64, _ end: UInt64) -> AddrRange<PhysAddr> {
    AddrRange(start: PhysAddr(start), end: PhysAddr(end))
  }

  @Test func theStricterKindWinsWhateverTheOrder() throws {
    let parts: [(AddrRange<PhysAddr>, MemoryKind)] = [
      (Self.range(0x1000, 0x9000), .usable), (Self.range(0x3000, 0x5000), .reserved),
      (Self.range(0x4000, 0x6000), .kernel), (Self.range(0x8000, 0xA000), .acpiReclaimable),
    ]
    let expected = """
      0x1000..<0x3000 usable
      0x3000..<0x5000 reserved
      0x5000..<0x6000 kernel
      0x6000..<0x8000 usable
      0x8000..<0xa000 ACPI reclaimable
      """
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
      var map = MemoryMap()
      for index in order { try map.add(parts[index].0, parts[index].1) }
      #expect(map.description == expected)
    }
  }

  @Test func neighboursOfOneKindAreOneEntry() throws {
    var map = MemoryMap()
    try map.add(Self.range(0x2000, 0x3000), .usable)
    try map.add(Self.range(0x1000, 0x2000), .usable)
    try map.add(Self.range(0x5000, 0x5000), .bad)
    try map.add(Self.range(0x3000, 0x4000), .bootloader)
    #expect(map.count == 2)
    #expect(map[0] == MemoryMap.Entry(range: Self.range(0x1000, 0x3000), kind: .usable))
    map.replace(.bootloader, with: .usable)
    #expect(map.description == "0x1000..<0x4000 usable")
    #expect(map.byteCount(of: .usable) == 0x3000)
  }

  /// The kind of every byte is the strictest of all ranges that contain it.
  @Test(arguments: [UInt64(1), 2, 3, 4])
  func agreesWithAnArrayOfBytes(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let kinds: [MemoryKind] = [.usable, .acpiReclaimable, .bootloader, .kernel, .acpiNVS, .reserved, .bad]
    for _ in 0..<50 {
      var map = MemoryMap()
      var bytes = [MemoryKind?](repeating: nil, count: 200)
      for _ in 0..<Int.random(in: 0...30, using: &random) {
        let start = Int.random(in: 0..<200, using: &random)
        let end = Int.random(in: start...min(200, start + 60), using: &random)
        let kind = kinds[Int.random(in: 0..<7, using: &random)]
        try map.add(Self.range(UInt64(start), UInt64(end)), kind)
        for byte in start..<end { bytes[byte] = bytes[byte].map { max($0, kind) } ?? kind }
      }
      var found = [MemoryKind?](repeating: nil, count: 200)
      for index in 0..<map.count {
        let entry = map[index]
        if index > 0 {
          let last = map[index - 1]
          #expect(
            last.range.end < entry.range.start || (last.range.end == entry.range.start && last.kind != entry.kind))
        }
        for byte in Int(entry.range.start.raw)..<Int(entry.range.end.raw) { found[byte] = entry.kind }
      }
      try #require(found == bytes, "seed \(seed)")
    }
  }

  @Test func aFullMapSaysSoAndStaysAsItWas() throws {
    var map = MemoryMap()
    for index in 0..<UInt64(MemoryMap.capacity) {
      try map.add(Self.range(index * 0x2000, index * 0x2000 + 0x1000), .usable)
    }
    let before = map.description
    #expect(throws: MemoryMapError.full) { try map.add(Self.range(0x1800, 0x1900), .usable) }
    #expect(map.description == before)
    // A range that joins two entries still fits.
    try map.add(Self.range(0x1000, 0x2000), .usable)
    #expect(map.count == MemoryMap.capacity - 1)
  }

  @Test func framesComeFromUsableMemoryOnly() throws {
    var map = MemoryMap()
    try map.add(e820: FirmwareTables.e820(fromLinux: FirmwareTables.linuxFirecracker24GiB).span.bytes)
    try map.add(Self.range(0x100_0000, 0x345_6789), .kernel)
    try map.add(Self.range(0x800_0000, 0x900_0000), .bootloader)
    let memory = TableMemory(for: BuddyFrames.range(of: map))
    var frames = BuddyFrames(memoryMap: map, tableIn: memory.range, holding: .zeros)
    try frames.checkReservations(of: map)
    // 0x9F whole frames below 640 KiB except frame 0; 3 GiB less 1 MiB, the kernel and the loader; 21 GiB above.
    let kernelFrames: UInt64 = 0x3457 - 0x1000
    #expect(frames.freeFrameCount == 0x9E + (0xC0000 - 0x100) - kernelFrames - 0x1000 + (21 << 18))
    #expect(frames.allocate(.size1GiB)?.start == PhysAddr(0x4000_0000))
    #expect(frames.allocate(.min) == PhysAddr(0x1000))
    #expect(frames.allocate(.size2MiB)?.start == PhysAddr(0x20_0000))
    #expect(frames.reclaim(.bootloader, in: &map) == 0x1000)
    #expect(map.byteCount(of: .bootloader) == 0)
    #expect(frames.isFree(Self.range(0x800_0000, 0x900_0000)) == true)
  }

  @Test func reclaimingLeavesTheFrameAtAddress0() throws {
    var map = MemoryMap()
    try map.add(Self.range(0, 0x3000), .bootloader)
    try map.add(Self.range(0x3000, 0x8000), .usable)
    let memory = TableMemory(for: BuddyFrames.range(of: map))
    var frames = BuddyFrames(memoryMap: map, tableIn: memory.range, holding: .zeros)
    #expect(frames.reclaim(.bootloader, in: &map) == 2)
    #expect(frames.allocate(.min) == PhysAddr(0x1000))
    #expect(frames.reservedFrameCount == 1)
  }

  @Test func reclaimingGivesBackFramesThatBecomeWhole() throws {
    var map = MemoryMap()
    try map.add(Self.range(0x10_0000, 0x10_4800), .usable)
    try map.add(Self.range(0x10_4800, 0x10_6400), .acpiReclaimable)
    try map.add(Self.range(0x10_6400, 0x10_6800), .bootloader)
    try map.add(Self.range(0x10_6800, 0x10_6900), .acpiReclaimable)
    try map.add(Self.range(0x10_6900, 0x10_9000), .usable)
    let memory = TableMemory(for: BuddyFrames.range(of: map))
    var frames = BuddyFrames(memoryMap: map, tableIn: memory.range, holding: .zeros)
    #expect(frames.freeFrameCount == 4 + 2)
    #expect(frames.reclaim(.acpiReclaimable, in: &map) == 2)
    try frames.checkReservations(of: map)
    #expect(frames.reclaim(.bootloader, in: &map) == 1)
    #expect(frames.reclaim(.bootloader, in: &map) == 0)
    #expect(frames.reservedFrameCount == 0)
    try frames.checkConsistency()
  }
}

extension BuddyFrames {
  /// Throws unless exactly the wholly usable frames are free, frame 0 excepted.
  fileprivate mutating func checkReservations(of map: MemoryMap) throws {
    var usable: [AddrRange<PhysAddr>] = []
    for index in 0..<map.count where map[index].kind == .usable {
      usable.append(map[index].range.alignedInward(to: 4096))
    }
    var count: UInt64 = 0
    for range in usable where !range.isEmpty {
      let frames = range.start.isNull ? AddrRange(start: PhysAddr(4096), end: range.end) : range
      #expect(isFree(frames) == true)
      count += frames.byteCount >> 12
    }
    #expect(freeFrameCount == count)
  }
}
