public import Addresses
import Assertions

// Zones: parts of physical memory that differ in who can use them (devices that reach only 16 MiB or 4 GiB) or in
// distance (NUMA nodes). A request names its preferred zone and falls back along that zone's list. As in Linux's
// get_page_from_freelist there are two passes: first over the zones that stay at or above their low watermark, then
// over those that stay at or above what the request's urgency allows. Zones thus empty together and not one after the
// other, and some memory is left for urgent requests.

/// A part of physical memory with its own allocator and watermarks.
public struct FrameZone: ~Copyable {
  /// The zone's name as in `/proc/buddyinfo`: DMA, DMA32, Normal.
  public let name: StaticString

  /// The NUMA node that the memory belongs to.
  public let node: Int

  /// How many frames are kept back, and for which requests.
  public var watermarks: FrameWatermarks

  /// The zone's frames.
  public var frames: BuddyFrames

  /// Whether frames should be reclaimed: true once the zone falls below the low watermark, until it reaches the high
  /// one.
  public internal(set) var needsReclaim = false

  /// A zone with the frames of an allocator.
  public init(_ frames: consuming BuddyFrames, name: StaticString, node: Int = 0, watermarks: FrameWatermarks) {
    self.name = name
    self.node = node
    self.watermarks = watermarks
    self.frames = frames
  }

  /// A block of `order` that leaves at least `reserve` frames free, or nil.
  mutating func allocate(_ order: FrameOrder, leaving reserve: UInt64) -> PhysAddr? {
    guard frames.freeFrameCount >= reserve + order.frameCount, let address = frames.allocate(order) else { return nil }
    if frames.freeFrameCount < watermarks.low { needsReclaim = true }
    return address
  }

  mutating func deallocate(_ address: PhysAddr, order: FrameOrder) {
    frames.deallocate(address, order: order)
    if frames.freeFrameCount >= watermarks.high { needsReclaim = false }
  }
}

/// Up to eight zones, each with a list of zones to fall back on.
public struct FrameZones: ~Copyable {
  /// How many zones there can be.
  public static var capacity: Int { 8 }

  /// How many zones there are, numbered from 0.
  public private(set) var count = 0

  private var zones = InlineArray<8, FrameZone> { _ in FrameZone(BuddyFrames(), name: "", watermarks: .none) }

  /// For each zone, the zones that serve its requests, best first; the list ends at -1.
  private var fallbacks = InlineArray<8, InlineArray<8, Int8>>(repeating: InlineArray(repeating: -1))

  /// No zones.
  public init() {}

  /// Adds a zone. It serves requests for it first, then all zones added before it, the latest first. Add zones from the
  /// most to the least precious, such as DMA, DMA32, Normal.
  ///
  /// Traps when there are ``capacity`` zones, or when the zone overlaps another.
  ///
  /// - Returns: The zone's number.
  public mutating func add(_ zone: consuming FrameZone) -> Int {
    require(count < FrameZones.capacity, "there can be at most eight frame zones")
    let range = zone.frames.range
    for index in 0..<count {
      require(!self.range(of: index).overlaps(range), "frame zones must not overlap, found one at", range.start.raw)
    }
    for position in 0...count { fallbacks[count][position] = Int8(count - position) }
    zones[count] = consume zone
    count += 1
    return count - 1
  }

  /// Sets the zones that serve requests for a zone, best first, for instance by the distance of NUMA nodes.
  ///
  /// Traps when a number names no zone or appears twice.
  public mutating func setFallbacks(of zone: Int, to order: Span<Int>) {
    requireZone(zone)
    require(order.count <= FrameZones.capacity, "a zone can fall back on at most eight zones")
    var list = InlineArray<8, Int8>(repeating: -1)
    for position in order.indices {
      requireZone(order[position])
      for earlier in 0..<position {
        require(order[earlier] != order[position], "a zone must come only once in a list of fallbacks")
      }
      list[position] = Int8(order[position])
    }
    fallbacks[zone] = list
  }

  /// The lowest free block of `order` in the first zone on the list of `zone` that may serve it, or nil.
  ///
  /// - Complexity: O(z) for z zones, plus one allocation.
  public mutating func allocate(
    _ order: FrameOrder, from zone: Int, _ urgency: FrameUrgency = .ordinary
  ) -> PhysAddr? {
    requireZone(zone)
    for position in 0..<FrameZones.capacity {
      let index = Int(fallbacks[zone][position])
      if index < 0 { break }
      if let address = zones[index].allocate(order, leaving: zones[index].watermarks.low) { return address }
    }
    for position in 0..<FrameZones.capacity {
      let index = Int(fallbacks[zone][position])
      if index < 0 { break }
      zones[index].needsReclaim = true
      let min = zones[index].watermarks.min
      let reserve =
        switch urgency {
        case .ordinary: min
        case .urgent: min / 2
        case .emergency: UInt64(0)
        }
      if let address = zones[index].allocate(order, leaving: reserve) { return address }
    }
    return nil
  }

  /// Deallocates a block that was allocated with this order, whichever zone it came from; any other traps.
  public mutating func deallocate(_ address: PhysAddr, order: FrameOrder) {
    zones[self.zone(of: address)].deallocate(address, order: order)
  }

  /// The number of the zone that contains `address`; traps when none does.
  public func zone(of address: PhysAddr) -> Int {
    for index in 0..<count where range(of: index).contains(address) { return index }
    fail("a frame must be in one of the zones, found", address.raw)
  }

  /// The frames of a zone.
  public func range(of zone: Int) -> AddrRange<PhysAddr> {
    requireZone(zone)
    return zones[zone].frames.range
  }

  /// Runs `body` on a zone.
  public mutating func withZone<Result: ~Copyable, Failure: Error>(
    _ zone: Int, _ body: (inout FrameZone) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    requireZone(zone)
    return try body(&zones[zone])
  }

  private func requireZone(_ zone: Int) {
    require(zone >= 0 && zone < count, "there is no frame zone with the number", UInt64(truncatingIfNeeded: zone))
  }
}
