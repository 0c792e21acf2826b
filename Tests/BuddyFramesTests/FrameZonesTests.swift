import Addresses
import BuddyFrames
import LabTestSupport
import MemoryMaps
import Testing

@Suite struct FrameZonesTests {
  /// Three small zones in place of DMA, DMA32 and Normal.
  private final class Machine {
    static let ranges = [
      AddrRange<PhysAddr>(frames: 64, from: 64), AddrRange<PhysAddr>(frames: 256, from: 4096),
      AddrRange<PhysAddr>(frames: 1024, from: 1 << 20),
    ]

    func zones(_ watermarks: FrameWatermarks, lowMemoryReserveRatio: UInt64 = 0) -> FrameZones {
      var zones = FrameZones.leaked(zones: 3, banks: 3)
      for (index, name) in [("DMA" as StaticString), "DMA32", "Normal"].enumerated() {
        _ = zones.add(
          FrameZone(
            .leaked(over: Machine.ranges[index]), name: name, rank: index, watermarks: watermarks,
            lowMemoryReserveRatio: lowMemoryReserveRatio))
      }
      return zones
    }
  }

  @Test func requestsFallBackFromTheBestZone() {
    let machine = Machine()
    var zones = machine.zones(.none)
    var counts = [0, 0, 0]
    while let address = zones.allocate(.min, from: 2) { counts[zones.zone(of: address)] += 1 }
    #expect(counts == [64, 256, 1024])
    #expect(zones.allocate(.min, from: 0) == nil)
    zones.deallocate(PhysAddr(70 << 12), order: .min)
    #expect(zones.allocate(.min, from: 1) == PhysAddr(70 << 12))
  }

  @Test func aRequestNeverLeavesItsList() {
    let machine = Machine()
    var zones = machine.zones(.none)
    var count = 0
    while let address = zones.allocate(.min, from: 1) {
      #expect(address < Machine.ranges[2].start)
      count += 1
    }
    #expect(count == 64 + 256)
    zones.setFallbacks(of: 1, to: [2, 1].span)
    #expect(zones.allocate(.min, from: 1) == Machine.ranges[2].start)
  }

  @Test func watermarksKeepFramesForThoseThatCannotWait() {
    let machine = Machine()
    var zones = machine.zones(FrameWatermarks(min: 8, low: 16, high: 24))
    zones.setFallbacks(of: 0, to: [0].span)
    for _ in 0..<48 { #expect(zones.allocate(.min, from: 0) != nil) }
    // At the low watermark: other zones serve first, and reclaim is requested.
    #expect(zones.withZone(0) { $0.needsReclaim } == false)
    #expect(zones.allocate(.min, from: 0) != nil)
    #expect(zones.withZone(0) { $0.needsReclaim } == true)
    while zones.allocate(.min, from: 0) != nil {}
    #expect(zones.withZone(0) { $0.frames.freeFrameCount } == 8)
    while zones.allocate(.min, from: 0, .urgent) != nil {}
    #expect(zones.withZone(0) { $0.frames.freeFrameCount } == 4)
    while zones.allocate(.min, from: 0, .emergency) != nil {}
    #expect(zones.withZone(0) { $0.frames.freeFrameCount } == 0)
    // Reclaim ends at the high watermark.
    for frame in 0..<UInt64(24) {
      #expect(zones.withZone(0) { $0.needsReclaim } == true)
      zones.deallocate(PhysAddr((64 + frame) << 12), order: .min)
    }
    #expect(zones.withZone(0) { $0.needsReclaim } == false)
  }

  @Test func aRequestThatFailsAsksForReclaim() {
    let machine = Machine()
    var zones = machine.zones(FrameWatermarks(min: 60, low: 60, high: 62))
    zones.setFallbacks(of: 0, to: [0].span)
    #expect(zones.allocate(FrameOrder(3), from: 0) == nil)
    #expect(zones.withZone(0) { $0.needsReclaim } == true)
  }

  @Test func zonesStayAtLowTogetherBeforeAnyGoesBelow() {
    let machine = Machine()
    var zones = machine.zones(FrameWatermarks(min: 2, low: 10, high: 20))
    for _ in 0..<(1024 - 10 + 256 - 10 + 64 - 10) { #expect(zones.allocate(.min, from: 2) != nil) }
    for zone in 0..<3 { #expect(zones.withZone(zone) { $0.frames.freeFrameCount } == 10) }
    #expect(zones.allocate(.min, from: 2).map { zones.zone(of: $0) } == 2)
  }

  @Test func defaultWatermarksAreThoseOfLinux() {
    // A zone of 4 GiB: 4 * sqrt(4194304 KiB) = 8192 KiB = 2048 frames.
    #expect(FrameWatermarks(forFrames: 1 << 20) == FrameWatermarks(min: 2048, low: 2560, high: 3072))
    #expect(FrameWatermarks(forFrames: 4).min == 1)
  }

  @Test func readsAsBuddyInfo() {
    let machine = Machine()
    var zones = machine.zones(.none)
    let lines = zones.buddyInfo().split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[0].hasPrefix("Node 0, zone      DMA      0      0      0      0      0      0      1 "))
    #expect(lines[2].hasPrefix("Node 0, zone   Normal "))
  }

  /// Eight nodes and a DMA zone, which once were too many.
  @Test func anyNumberOfZonesAndNodes() {
    var zones = FrameZones.leaked(zones: 40, banks: 40)
    for node in 0..<40 {
      let range = AddrRange<PhysAddr>(frames: 16, from: UInt64(40 - node) << 18)
      let zone = FrameZone(.leaked(over: range), name: "Normal", node: UInt32(node), rank: 0, watermarks: .none)
      #expect(zones.add(zone) == node)
    }
    for node in 0..<40 {
      #expect(zones.allocate(.min, from: node) == PhysAddr(UInt64(40 - node) << 30))
      #expect(zones.zone(of: PhysAddr(UInt64(40 - node) << 30)) == node)
    }
    // Node 5 is full; the nearest by distance serves.
    while let address = zones.allocate(.min, from: 5), zones.zone(of: address) == 5 {}
    zones.orderFallbacks(byDistance: { abs(Int($0) - Int($1)) })
    #expect(zones.allocate(.min, from: 5).map { zones.zone(of: $0) } == 4)
  }

  @Test func requestsStayInTheirRankAndTryTheirNodeFirst() {
    var zones = FrameZones.leaked(zones: 4, banks: 4)
    for (number, place) in [(0, 0), (0, 1), (1, 0), (1, 1)].enumerated() {
      let range = AddrRange<PhysAddr>(frames: 1, from: UInt64(number + 1) << 18)
      _ = zones.add(
        FrameZone(.leaked(over: range), name: "Zone", node: UInt32(place.0), rank: place.1, watermarks: .none))
    }
    var order: [Int] = []
    while let address = zones.allocate(.min, from: 3) { order.append(zones.zone(of: address)) }
    #expect(order == [3, 2, 1, 0])
    for number in 0..<4 { zones.deallocate(PhysAddr(UInt64(number + 1) << 30), order: .min) }
    order = []
    while let address = zones.allocate(.min, from: 0) { order.append(zones.zone(of: address)) }
    #expect(order == [0, 2])
  }

  /// The frames of the higher zones divided by the ratio, as Linux's lowmem_reserve_ratio.
  @Test func lowZonesKeepAReserveFromHighRequests() {
    let machine = Machine()
    var zones = machine.zones(.none, lowMemoryReserveRatio: 32)
    #expect(zones.lowMemoryReserve(of: 0, for: 0) == 0)
    #expect(zones.lowMemoryReserve(of: 0, for: 1) == 256 / 32)
    #expect(zones.lowMemoryReserve(of: 0, for: 2) == (256 + 1024) / 32)
    #expect(zones.lowMemoryReserve(of: 1, for: 2) == 1024 / 32)
    #expect(zones.lowMemoryReserve(of: 2, for: 1) == 0)
    var counts = [0, 0, 0]
    while let address = zones.allocate(.min, from: 2) { counts[zones.zone(of: address)] += 1 }
    #expect(counts == [64 - 40, 256 - 32, 1024])
    // Requests that can use nothing else still find some, and so do those that must not fail.
    #expect(zones.allocate(.min, from: 0) != nil)
    #expect(zones.allocate(.min, from: 2, .emergency) != nil)
  }

  @Test func runsForDevicesComeFromTheZonesOfTheList() throws {
    let machine = Machine()
    var zones = machine.zones(.none)
    let constraints = FrameRunConstraints(within: AddrRange(0, 4096 << 12), boundary: 0x10000)
    let run = try unwrapped(zones.allocate(frameCount: 16, constraints, from: 2))
    #expect(zones.zone(of: run.start) == 0)
    zones.deallocate(run)
    #expect(zones.withZone(0) { $0.frames.freeFrameCount } == 64)
  }

  /// Two nodes, the first with memory below 16 MiB, and memory that is plugged in later.
  @Test func takesOverAMapWithNodes() throws {
    let ram = TableMemory(byteCount: 256 << 20)
    let mapper = TestMapper(memory: ram.range, start: .null)
    var map = MemoryMap(entries: 64)
    try map.add(AddrRange(0, 128 << 20), .usable)
    try map.add(AddrRange(0x9_F000, 0x10_0000), .reserved)
    try map.setNode(1, of: AddrRange(64 << 20, 128 << 20))
    let kinds = [FrameZoneKind("DMA", below: PhysAddr(16 << 20)), FrameZoneKind("Normal", below: nil)]
    guard
      var zones = try FrameZones(
        takingOver: &map, kinds: kinds.span, laterSpan: AddrRange(0, 256 << 20), laterBankCount: 1, mapper: mapper)
    else {
      Issue.record("no room for the zones")
      return
    }
    #expect(zones.count == 3)
    let names = zones.buddyInfo().split(separator: "\n").map { $0.prefix(22) }
    #expect(names == ["Node 0, zone      DMA ", "Node 0, zone   Normal ", "Node 1, zone   Normal "])
    var free: UInt64 = 0
    for zone in 0..<3 { free += zones.withZone(zone) { $0.frames.freeFrameCount } }
    // All but frame 0.
    #expect(free << 12 == map.byteCount(of: .usable) - 4096)
    let normal = zones.withZone(1) { $0.frames.managedFrameCount }
    #expect(zones.lowMemoryReserve(of: 0, for: 1) == normal / 256)
    #expect(zones.allocate(.min, from: 2).map { zones.zone(of: $0) } == 2)

    let later = AddrRange<PhysAddr>(128 << 20, 192 << 20)
    let table = TableMemory(for: later)
    zones.withZone(2) { $0.frames.add(later, tableIn: table.range, holding: .zeros) }
    #expect(zones.zone(of: later.start) == 2)
    #expect(zones.withZone(2) { $0.frames.remove(later) } != nil)
  }
}

extension SparseFrames {
  /// An allocator over one range; its memory is never freed.
  static func leaked(over range: AddrRange<PhysAddr>) -> SparseFrames {
    let byteCount = SparseFrames.byteCount(spanning: range, bankCapacity: 1)
    var frames = SparseFrames(spanning: range, bankCapacity: 1, in: TableMemory.leaked(byteCount: byteCount))
    let table = TableMemory.leaked(byteCount: BuddyFrames.tableByteCount(for: range))
    frames.add(range, tableIn: table, holding: .zeros)
    return frames
  }
}

extension FrameZones {
  /// No zones; their memory is never freed.
  static func leaked(zones: Int, banks: Int) -> FrameZones {
    let byteCount = FrameZones.byteCount(zoneCapacity: zones, bankCapacity: banks)
    return FrameZones(zoneCapacity: zones, bankCapacity: banks, in: TableMemory.leaked(byteCount: byteCount))
  }
}
