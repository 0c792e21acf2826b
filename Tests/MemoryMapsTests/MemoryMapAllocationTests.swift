import Addresses
import LabTestSupport
import MemoryMaps
import Testing

/// Memory taken out of the map before there is a frame table.
@Suite struct MemoryMapAllocationTests {
  private func machine() throws -> MemoryMap {
    var map = MemoryMap(entries: 32)
    try map.add(AddrRange(0, 0x9_FC00), .usable)
    try map.add(AddrRange(0x10_0000, 0x800_0000), .usable)
    try map.add(AddrRange(0x1_0000_0000, 0x1_4000_0000), .usable)
    try map.add(AddrRange(0x20_0000, 0x30_0000), .kernel)
    try map.setNode(1, of: AddrRange(0x1_0000_0000, 0x1_4000_0000))
    return map
  }

  @Test func takesTheHighestThatFits() throws {
    var map = try machine()
    #expect(try map.allocate(byteCount: 0x1000) == AddrRange(0x1_3FFF_F000, 0x1_4000_0000))
    #expect(try map.allocate(byteCount: 0x10, alignment: 16) == AddrRange(0x1_3FFF_EFF0, 0x1_3FFF_F000))
    #expect(try map.allocate(byteCount: 0x20_0000, alignment: 0x20_0000) == AddrRange(0x1_3FC0_0000, 0x1_3FE0_0000))
    let low = AddrRange<PhysAddr>(0, 0x100_0000)
    #expect(try map.allocate(byteCount: 0x1000, within: low) == AddrRange(0xFF_F000, 0x100_0000))
    #expect(try map.allocate(byteCount: 0x1000, onNode: 0) == AddrRange(0x7FF_F000, 0x800_0000))
    #expect(try map.allocate(byteCount: 0x1000, onNode: 2) == nil)
    #expect(try map.allocate(byteCount: 0x4000_0000) == nil)
    // The page at address 0 stays.
    let lowest = AddrRange<PhysAddr>(0, 0x3000)
    #expect(try map.allocate(byteCount: 0x2000, within: lowest) == AddrRange(0x1000, 0x3000))
    #expect(try map.allocate(byteCount: 1, alignment: 1, within: lowest) == nil)
  }

  @Test func whatIsGivenBackIsUsableAgain() throws {
    var map = try machine()
    let before = map.description
    let first = try unwrapped(try map.allocate(byteCount: 0x3000))
    let second = try unwrapped(try map.allocate(byteCount: 0x1000, as: .bootloader))
    #expect(map.byteCount(of: .bootloader) == 0x1000)
    try map.deallocate(AddrRange(start: second.start, end: first.end))
    #expect(map.description == before)
  }

  /// Random requests never overlap, and the map is what it was once all are given back.
  @Test(arguments: [UInt64(1), 2, 3])
  func blocksNeverOverlap(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var map = MemoryMap(entries: 400)
    try map.add(AddrRange(0x1000, 0x10_0000), .usable)
    try map.add(AddrRange(0x8_0000, 0x8_1000), .reserved)
    let before = map.description
    var blocks: [AddrRange<PhysAddr>] = []
    for _ in 0..<150 {
      if blocks.count > 20, Bool.random(using: &random) {
        try map.deallocate(blocks.remove(at: Int.random(in: 0..<blocks.count, using: &random)))
      } else {
        let byteCount = UInt64.random(in: 1...0x2000, using: &random)
        let alignment = UInt64(1) << UInt64.random(in: 0...13, using: &random)
        guard let block = try map.allocate(byteCount: byteCount, alignment: alignment) else { continue }
        #expect(block.byteCount == byteCount && block.start.isAligned(to: alignment))
        #expect(!blocks.contains { $0.overlaps(block) }, "seed \(seed)")
        #expect(!block.overlaps(AddrRange(0x8_0000, 0x8_1000)))
        blocks.append(block)
      }
    }
    for block in blocks { try map.deallocate(block) }
    #expect(map.description == before)
  }

  @Test func aMapWithoutRoomSaysSoAndStaysAsItWas() throws {
    var map = MemoryMap(entries: 1)
    try map.add(AddrRange(0x1000, 0x8000), .usable)
    #expect(throws: MemoryMapError.full(capacity: 1)) { try map.allocate(byteCount: 0x1000) }
    #expect(map.description == "0x1000..<0x8000 usable")
  }
}
