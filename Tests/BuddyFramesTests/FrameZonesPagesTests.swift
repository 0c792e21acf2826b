import Addresses
import BuddyFrames
import Foundation
import LabTestSupport
import Testing

/// Zones as the frame allocator of page tables.
@Suite struct FrameZonesPagesTests {
  /// A low zone of 64 frames and a high one of 2,048, from a multiple of 2 MiB on.
  private static let low = AddrRange<PhysAddr>(frames: 64, from: 64)
  private static let high = AddrRange<PhysAddr>(frames: 2048, from: 1 << 20)

  private func makeZones(_ watermarks: FrameWatermarks = .none) -> FrameZones {
    var zones = FrameZones.leaked(zones: 2, banks: 2)
    _ = zones.add(FrameZone(.leaked(over: Self.low), name: "Low", rank: 0, watermarks: watermarks))
    _ = zones.add(FrameZone(.leaked(over: Self.high), name: "High", rank: 1, watermarks: watermarks))
    return zones
  }

  private func allocate(_ size: PageSize, _ zones: inout FrameZones) throws -> Page<PhysAddr> {
    let page = zones.allocate(size)
    return try #require(page)
  }

  @Test func pagesComeFromTheHomeZoneAndThoseBelow() throws {
    var zones = makeZones()
    let home = zones.homeZone
    #expect(home == 1)
    #expect(zones.allocate(.size4KiB)?.start == Self.high.start)
    zones.homeZone = 0
    let page = try allocate(.size4KiB, &zones)
    #expect(page == Page(start: Self.low.start, size: .size4KiB))
    #expect(zones.allocate(.size2MiB) == nil)
    zones.homeZone = 1
    #expect(zones.allocate(.size2MiB)?.start == Self.high.start + (2 << 20))
    zones.deallocate(page)
    var count = 0
    while zones.allocate(.size4KiB) != nil { count += 1 }
    #expect(count == 64 + 2048 - 1 - 512)
  }

  @Test func noZonesHaveNoPages() {
    var zones = FrameZones.leaked(zones: 1, banks: 1)
    #expect(zones.allocate(.size4KiB) == nil)
  }

  @Test func theLastHolderFreesAFrameWhereverItLies() throws {
    var zones = makeZones()
    for home in 0..<2 {
      zones.homeZone = home
      let before = zones.withZone(home) { $0.frames.freeFrameCount }
      let page = try allocate(.size4KiB, &zones)
      zones.retain(page)
      zones.retain(3) { $0 == 1 ? nil : page }
      #expect(zones.referenceCount(of: page) == 4)
      for _ in 0..<3 { #expect(zones.release(page) == false) }
      #expect(zones.withZone(home) { $0.frames.freeFrameCount } == before - 1)
      #expect(zones.release(page) == true)
      #expect(zones.withZone(home) { $0.frames.freeFrameCount } == before)
    }
  }

  @Test func manyFramesOfSeveralZonesGetAHolderEach() throws {
    var zones = makeZones()
    var pages: [Page<PhysAddr>] = []
    for index in 0..<60 {
      zones.homeZone = index / 7 % 2
      pages.append(try allocate(.size4KiB, &zones))
    }
    zones.retain(pages.count) { $0 % 5 == 0 ? nil : pages[$0] }
    for (index, page) in pages.enumerated() {
      #expect(zones.referenceCount(of: page) == (index % 5 == 0 ? 1 : 2), "\(index)")
    }
  }

  @Test func aReleaseEndsTheReclaim() throws {
    var zones = makeZones(FrameWatermarks(min: 4, low: 60, high: 64))
    zones.homeZone = 0
    var pages: [Page<PhysAddr>] = []
    for _ in 0..<5 { pages.append(try allocate(.size4KiB, &zones)) }
    #expect(zones.withZone(0) { $0.needsReclaim } == true)
    for page in pages { #expect(zones.release(page) == true) }
    #expect(zones.withZone(0) { $0.needsReclaim } == false)
  }

  @Test func largeFramesAreSplitAndJoined() throws {
    var zones = makeZones()
    let large = try allocate(.size2MiB, &zones)
    zones.split(large, into: .size4KiB)
    let second = Page(start: large.start + 4096, size: PageSize.size4KiB)
    #expect(zones.referenceCount(of: second) == 1)
    zones.join(large, from: .size4KiB)
    #expect(zones.referenceCount(of: large) == 1)
    #expect(zones.release(large) == true)
  }

  @Test func aHomeThatIsNoZone() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var zones = FrameZones.leaked(zones: 1, banks: 1)
      zones.homeZone = 0
    }
    #expect(text(of: result) == "heaplab: there is no frame zone with the number: 0x0\n")
  }
}
