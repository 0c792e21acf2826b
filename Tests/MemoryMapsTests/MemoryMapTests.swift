import Addresses
import LabTestSupport
import MemoryMaps
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
      var map = MemoryMap(entries: 128)
      for index in order { try map.add(parts[index].0, parts[index].1) }
      #expect(map.description == expected)
    }
  }

  @Test func neighboursOfOneKindAreOneEntry() throws {
    var map = MemoryMap(entries: 128)
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
      var map = MemoryMap(entries: 128)
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
    var map = MemoryMap(entries: 128)
    #expect(map.capacity == 128)
    for index in 0..<UInt64(map.capacity) {
      try map.add(Self.range(index * 0x2000, index * 0x2000 + 0x1000), .usable)
    }
    let before = map.description
    expectFull(128) { try map.add(Self.range(0x1800, 0x1900), .usable) }
    expectFull(128) { try map.add(Self.range(0x100_0000, 0x100_1000), .usable) }
    #expect(map.description == before)
    // A range that joins two entries still fits.
    try map.add(Self.range(0x1000, 0x2000), .usable)
    #expect(map.count == map.capacity - 1)
  }

  private func expectFull(_ capacity: Int, _ body: () throws -> Void) {
    #expect(throws: MemoryMapError.full(capacity: capacity)) { try body() }
  }

  /// A machine whose firmware lists 312 ranges (a report against the Limine boot loader).
  @Test func takesAsManyEntriesAsItsMemoryHasRoomFor() throws {
    var map = MemoryMap(entries: 312)
    for index in UInt64(0)..<156 {
      try map.add(Self.range(index * 0x20000, index * 0x20000 + 0x10000), .usable)
      try map.add(Self.range(index * 0x20000 + 0x10000, index * 0x20000 + 0x20000), .bootloader)
    }
    #expect(map.count == 312)
    #expect(map.byteCount(of: .usable) == 156 * 0x10000)
  }

  @Test func aMapThatIsTooSmallMovesAndTakesTheTableAgain() throws {
    let table = FirmwareTables.bytes(FirmwareTables.e820QEMU4GiB)
    var small = MemoryMap(entries: 3)
    #expect(throws: MemoryMapError.full(capacity: 3)) { try small.add(e820: table.span.bytes, entryByteCount: 24) }
    let memory = TestMemory(byteCount: MemoryMap.byteCount(forEntries: 16))
    #expect(small.move(to: memory.range).byteCount == MemoryMap.byteCount(forEntries: 3))
    #expect(small.capacity == 16)
    try small.add(e820: table.span.bytes, entryByteCount: 24)
    var whole = MemoryMap(entries: 16)
    try whole.add(e820: table.span.bytes, entryByteCount: 24)
    #expect(small.description == whole.description)
  }

  @Test func removesRangesAndKnowsNodes() throws {
    var map = MemoryMap(entries: 16)
    try map.add(Self.range(0x1000, 0x9000), .usable)
    try map.setNode(1, of: Self.range(0x4000, 0x20000))
    try map.add(Self.range(0x8000, 0xA000), .reserved)
    try map.remove(Self.range(0x2000, 0x3000))
    #expect(
      map.description == """
        0x1000..<0x2000 usable
        0x3000..<0x4000 usable
        0x4000..<0x8000 usable, node 1
        0x8000..<0x9000 reserved, node 1
        0x9000..<0xa000 reserved
        """)
  }

  @Test func whatLiesAboveTheAddressLimitIsNotAdded() throws {
    var map = MemoryMap(entries: 4, addressBits: 36)
    try map.add(Self.range(0xF_FFFF_F000, 0x10_0000_1000), .reserved)
    try map.add(Self.range(0x20_0000_0000, .max), .usable)
    #expect(map.description == "0xffffff000..<0x1000000000 reserved")
  }
}
