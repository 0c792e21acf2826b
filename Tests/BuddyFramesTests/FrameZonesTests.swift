import Addresses
import BuddyFrames
import Testing

@Suite struct FrameZonesTests {
  /// Three small zones in place of DMA, DMA32 and Normal.
  private final class Machine {
    static let ranges = [
      AddrRange<PhysAddr>(frames: 64, from: 64), AddrRange<PhysAddr>(frames: 256, from: 4096),
      AddrRange<PhysAddr>(frames: 1024, from: 1 << 20),
    ]
    let tables = Machine.ranges.map { TableMemory(for: $0) }

    func zones(_ watermarks: FrameWatermarks) -> FrameZones {
      var zones = FrameZones()
      for (index, name) in [("DMA" as StaticString), "DMA32", "Normal"].enumerated() {
        let frames = tables[index].frames(over: Machine.ranges[index])
        _ = zones.add(FrameZone(frames, name: name, watermarks: watermarks))
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
}
