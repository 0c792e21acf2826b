public import Addresses
import Assertions

// Zones: parts of physical memory that differ in who can use them (devices that reach only 16 MiB or 4 GiB) or in
// distance (NUMA nodes). A request names its preferred zone and falls back along that zone's list. As in Linux's
// get_page_from_freelist there are two passes: first over the zones that stay at or above their low watermark, then
// over those that stay at or above what the request's urgency allows. Zones thus empty together and not one after the
// other, and some memory is left for urgent requests.
//
// A request that could be served by a higher zone also leaves the low-memory reserve of each zone below, as Linux's
// lowmem_reserve_ratio has it. Otherwise ordinary requests would fill the low zones as soon as the high ones are full,
// with memory that stays in use for long, and devices that can use nothing else would find none.

/// Zones, each with a list of zones to fall back on.
///
/// | file | what is in it |
/// | --- | --- |
/// | `FrameZones+Fallbacks.swift` | which zones serve which requests; the low-memory reserve |
/// | `FrameZones+MemoryMap.swift` | zones for the nodes of a memory map |
/// | `FrameZones+Pages.swift` | frames for page tables and address spaces |
/// | `FrameZone.swift`, `FrameZoneList.swift` | a zone; the zones in the caller's memory |
public struct FrameZones: ~Copyable {
  let list: FrameZoneList

  /// How many zones there are, numbered from 0.
  public internal(set) var count = 0

  /// How many regions there are.
  private var regionCount = 0

  private var chosenHomeZone: Int?

  /// The zone at which requests for a page start: those by ``allocate(_:)``, which page tables and address spaces make.
  /// The zone that was added last, until one is chosen. Traps for a number that names no zone.
  public var homeZone: Int {
    get { chosenHomeZone ?? count - 1 }
    set {
      requireZone(newValue)
      chosenHomeZone = newValue
    }
  }

  /// How many bytes `zoneCapacity` zones with `bankCapacity` banks in all need, their frames not included, at a multiple
  /// of 8.
  public static func byteCount(zoneCapacity: Int, bankCapacity: Int) -> UInt {
    FrameZoneList.byteCount(zones: zoneCapacity, regions: bankCapacity)
  }

  /// No zones.
  ///
  /// - Parameters:
  ///   - zoneCapacity: How many zones there can be.
  ///   - bankCapacity: How many banks all zones together can have.
  ///   - storage: Memory for the list of zones, used by nobody else while it is in use. Traps unless it has at least
  ///     ``byteCount(zoneCapacity:bankCapacity:)`` bytes at a multiple of 8.
  public init(zoneCapacity: Int, bankCapacity: Int, in storage: AddrRange<VirtAddr>) {
    require(zoneCapacity >= 0 && bankCapacity >= 0, "capacities must not be negative")
    require(
      !storage.start.isNull && storage.start.isAligned(to: 8),
      "a list of frame zones must start at a multiple of 8 bytes, found", UInt64(storage.start.raw))
    let byteCount = FrameZones.byteCount(zoneCapacity: zoneCapacity, bankCapacity: bankCapacity)
    require(
      byteCount <= storage.byteCount, "a list of frame zones needs more memory than it was given, in bytes",
      UInt64(byteCount))
    list = FrameZoneList(zones: zoneCapacity, regions: bankCapacity, at: storage.start)
  }

  /// Adds a zone and orders the fallbacks of all zones anew: the zones of no higher rank, those of the same node first,
  /// and on each node the highest rank first.
  ///
  /// Traps when there are as many zones or banks as there can be, or when the zone overlaps another.
  ///
  /// - Returns: The zone's number.
  /// - Complexity: O(z² + b) for z zones and b banks.
  public mutating func add(_ zone: consuming FrameZone) -> Int {
    require(count < list.capacity, "there are as many frame zones as their memory allows, found", UInt64(count))
    // SAFETY: the number is below the capacity, and no zone is there yet.
    unsafe list.zone(count).initialize(to: zone)
    count += 1
    relate()
    return count - 1
  }

  /// Computes all that follows from which zones there are.
  mutating func relate() {
    indexRegions()
    orderFallbacks(byDistance: { $0 == $1 ? 0 : 1 })
    updateLowMemoryReserves()
  }

  // MARK: Frames

  /// The lowest free block of `order` in the first zone on the list of `zone` that may serve it, or nil.
  ///
  /// - Complexity: O(z) for z zones, plus one allocation.
  public mutating func allocate(
    _ order: FrameOrder, from zone: Int, _ urgency: FrameUrgency = .ordinary
  ) -> PhysAddr? {
    firstZone(for: zone, urgency) { $0.allocate(order, leaving: $1) }
  }

  /// Allocates `frameCount` contiguous frames that meet `constraints`, in the first zone on the list of `zone` that may
  /// serve them; nil when none does.
  public mutating func allocate(
    frameCount: UInt64, _ constraints: FrameRunConstraints, from zone: Int, _ urgency: FrameUrgency = .ordinary
  ) -> AddrRange<PhysAddr>? {
    firstZone(for: zone, urgency) { $0.allocate(frameCount: frameCount, constraints, leaving: $1) }
  }

  /// The first result that `body` has for a zone and the frames to be left there.
  private mutating func firstZone<Result>(
    for preferred: Int, _ urgency: FrameUrgency, _ body: (inout FrameZone, _ reserve: UInt64) -> Result?
  ) -> Result? {
    requireZone(preferred)
    for pass in 0..<2 {
      for position in 0..<count {
        // SAFETY: both numbers are below the count; so is a fallback that is not negative.
        let number = unsafe Int(list.fallback(preferred, position).pointee)
        if number < 0 { break }
        let zone = unsafe list.zone(number)
        let reserve = unsafe list.reserve(number, preferred).pointee
        let watermarks = unsafe zone.pointee.watermarks
        if pass == 1 { unsafe zone.pointee.needsReclaim = true }
        let level =
          pass == 0 ? watermarks.low + reserve : FrameZones.level(watermarks, reserve: reserve, urgency)
        // SAFETY: as above, and nobody else uses the zone.
        if let result = unsafe body(&zone.pointee, level) { return result }
      }
    }
    return nil
  }

  /// How many frames a request leaves that no zone could serve above its low watermark.
  private static func level(_ watermarks: FrameWatermarks, reserve: UInt64, _ urgency: FrameUrgency) -> UInt64 {
    switch urgency {
    case .ordinary: watermarks.min + reserve
    case .urgent: watermarks.min / 2 + reserve
    case .emergency: 0
    }
  }

  /// Deallocates a block that was allocated with this order, whichever zone it came from; any other traps.
  ///
  /// - Complexity: O(log b) for b banks, plus one deallocation.
  public mutating func deallocate(_ address: PhysAddr, order: FrameOrder) {
    // SAFETY: the zone exists, and nobody else uses it.
    unsafe list.zone(zone(of: address)).pointee.deallocate(address, order: order)
  }

  /// Deallocates all blocks in `run`, which must lie in one bank.
  public mutating func deallocate(_ run: AddrRange<PhysAddr>) {
    if run.isEmpty { return }
    // SAFETY: the zone exists, and nobody else uses it.
    unsafe list.zone(zone(of: run.start)).pointee.deallocate(run)
  }

  // MARK: Zones

  /// The number of the zone that contains `address`; traps when none does.
  ///
  /// - Complexity: O(log b) for b banks.
  public func zone(of address: PhysAddr) -> Int { region(of: address).zone }

  /// The bank that contains `address`, and its zone; traps when none does.
  func region(of address: PhysAddr) -> FrameZoneList.Region {
    // The first region that ends above the address.
    var low = 0
    var high = regionCount
    while low < high {
      let middle = (low + high) / 2
      // SAFETY: the index is below the count of regions.
      if unsafe list.region(middle).pointee.range.end <= address { low = middle + 1 } else { high = middle }
    }
    // SAFETY: as above.
    guard unsafe low < regionCount && list.region(low).pointee.range.start <= address else {
      fail("a frame must be in one of the zones, found", address.raw)
    }
    return unsafe list.region(low).pointee
  }

  /// Runs `body` on a zone. It may add banks to the zone and remove some.
  public mutating func withZone<Result: ~Copyable, Failure: Error>(
    _ zone: Int, _ body: (inout FrameZone) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    requireZone(zone)
    // SAFETY: the zone exists.
    let before = unsafe list.zone(zone).pointee.frames.bankChangeCount
    defer {
      // SAFETY: as above.
      if unsafe list.zone(zone).pointee.frames.bankChangeCount != before {
        indexRegions()
        updateLowMemoryReserves()
      }
    }
    // SAFETY: as above, and nobody else uses the zone.
    return try unsafe body(&list.zone(zone).pointee)
  }

  /// Lists the banks of all zones in address order; traps when two of them overlap.
  private mutating func indexRegions() {
    regionCount = 0
    for number in 0..<count {
      // SAFETY: the number is below the count.
      for bank in 0..<(unsafe list.zone(number).pointee.frames.bankCount) {
        require(regionCount < list.regionCapacity, "frame zones have as many banks as their memory allows")
        let range = unsafe list.zone(number).pointee.frames.range(ofBank: bank)
        var index = regionCount
        // SAFETY: the indices are below the capacity, and the regions below the count are initialised.
        while unsafe index > 0 && list.region(index - 1).pointee.range.start > range.start {
          unsafe list.region(index).initialize(to: list.region(index - 1).pointee)
          index -= 1
        }
        unsafe list.region(index).initialize(to: FrameZoneList.Region(range: range, zone: number))
        regionCount += 1
      }
    }
    for index in 1..<max(regionCount, 1) {
      // SAFETY: both are below the count.
      require(
        unsafe list.region(index - 1).pointee.range.end <= list.region(index).pointee.range.start,
        "frame zones must not overlap, found one at", unsafe list.region(index).pointee.range.start.raw)
    }
  }

  func requireZone(_ zone: Int) {
    require(zone >= 0 && zone < count, "there is no frame zone with the number", UInt64(truncatingIfNeeded: zone))
  }

  deinit {
    // SAFETY: the zones below the count are initialised; their memory stays the caller's.
    for number in 0..<count { unsafe list.zone(number).deinitialize(count: 1) }
  }
}
