public import Addresses
public import MemoryMaps
public import MemoryProtocols

/// A kind of zone: the memory below an address that the kinds before it left.
@frozen
public struct FrameZoneKind: Sendable {
  /// The name, as in `/proc/buddyinfo`.
  public let name: StaticString
  /// The first address above the kind's memory; nil for none.
  public let end: PhysAddr?
  /// See ``FrameZone/lowMemoryReserveRatio``.
  public let lowMemoryReserveRatio: UInt64

  /// A kind of zone that ends at the address `end`, or has no upper end.
  @inlinable public init(_ name: StaticString, below end: PhysAddr?, lowMemoryReserveRatio: UInt64 = 256) {
    self.name = name
    self.end = end
    self.lowMemoryReserveRatio = lowMemoryReserveRatio
  }
}

extension FrameZones {
  /// Zones for all memory of `map`, one for each node and kind that has some, with their frame tables; nil when the map
  /// has no usable memory left for those.
  ///
  /// The memory for them is taken out of the map, each zone's from its own node where that has enough. Watermarks are
  /// Linux's defaults.
  ///
  /// - Parameters:
  ///   - map: The machine's memory, which gives the zones what they need.
  ///   - kinds: The kinds of zones, lowest first: the rank of each is its position. The last one takes all that is left,
  ///     and memory that is added later.
  ///   - laterSpan: The addresses at which memory may be added later; nil when none is.
  ///   - laterBankCount: How many banks may be added later to each node.
  ///   - bounds: Where the memory for the zones must lie, such as what the boot page tables map.
  ///   - mapper: Finds the virtual addresses of that memory.
  /// - Throws: `MemoryMapError.full` when the map has no room for what was taken.
  public init?(
    takingOver map: inout MemoryMap, kinds: Span<FrameZoneKind>, laterSpan: AddrRange<PhysAddr>? = nil,
    laterBankCount: Int = 0, tableWithin bounds: AddrRange<PhysAddr>? = nil, mapper: some PhysMapper
  ) throws(MemoryMapError) {
    var plan = FrameZonePlan(laterSpan: laterSpan, laterBankCount: laterBankCount)
    var zoneCount = 0
    var bankCount = 0
    while let (_, selection) = plan.next(map, kinds) {
      zoneCount += 1
      bankCount += max(SparseFrames.bankCapacity(for: map, selection), 1)
    }
    let byteCount = FrameZones.byteCount(zoneCapacity: zoneCount, bankCapacity: bankCount)
    guard let place = try map.allocate(byteCount: UInt64(max(byteCount, 8) + 4095) & ~4095, within: bounds) else {
      return nil
    }
    let memory = mapper.virtual(place)
    let list = FrameZoneList(zones: zoneCount, regions: bankCount, at: memory.start)
    // All memory is taken out of the map before the first zone finds out what is usable. The regions, of which there is
    // at least one for each zone, hold the places meanwhile.
    plan = FrameZonePlan(laterSpan: laterSpan, laterBankCount: laterBankCount)
    var number = 0
    while let (_, selection) = plan.next(map, kinds) {
      guard let storage = try SparseFrames.takeStorage(of: &map, selection, within: bounds) else { return nil }
      // SAFETY: the number is below the capacity of regions.
      unsafe list.region(number).initialize(to: FrameZoneList.Region(range: storage, zone: number))
      number += 1
    }
    self.init(zoneCapacity: zoneCount, bankCapacity: bankCount, in: memory)
    addZones(plan: FrameZonePlan(laterSpan: laterSpan, laterBankCount: laterBankCount), map, kinds, mapper)
  }

  /// Makes the zones whose memory the regions name.
  private mutating func addZones(
    plan: FrameZonePlan, _ map: borrowing MemoryMap, _ kinds: Span<FrameZoneKind>, _ mapper: some PhysMapper
  ) {
    var plan = plan
    while let (kind, selection) = plan.next(map, kinds) {
      // SAFETY: the number of this zone is below the capacity of regions.
      let storage = unsafe list.region(count).pointee.range
      let frames = SparseFrames(memoryMap: map, selection, in: mapper.virtual(storage), holding: .anything)
      // SAFETY: there is room for each zone of the plan.
      unsafe list.zone(count).initialize(
        to: FrameZone(
          frames, name: kinds[kind].name, node: selection.node ?? 0, rank: kind, watermarks: .none,
          lowMemoryReserveRatio: kinds[kind].lowMemoryReserveRatio))
      count += 1
    }
    relate()
    setDefaultWatermarks()
  }

  /// Gives each zone its share of Linux's default watermarks, by the frames that it has now.
  public mutating func setDefaultWatermarks() {
    var frameCount: UInt64 = 0
    // SAFETY: the numbers are below the count.
    for number in 0..<count { frameCount += unsafe list.zone(number).pointee.frames.managedFrameCount }
    for number in 0..<count {
      let zone = unsafe list.zone(number)
      unsafe zone.pointee.watermarks = FrameWatermarks(forFrames: zone.pointee.frames.managedFrameCount, of: frameCount)
    }
  }

  /// Makes the memory of a reclaimable kind usable, here and in the map that the zones were created from.
  ///
  /// Traps unless the kind is reclaimable and all its frames are reserved.
  ///
  /// - Returns: How many frames became free.
  public mutating func reclaim(_ kind: MemoryKind, in map: inout MemoryMap) -> UInt64 {
    var frameCount: UInt64 = 0
    // SAFETY: the number is below the count.
    for number in 0..<count { frameCount += unsafe list.zone(number).pointee.frames.unreserve(kind, map) }
    map.replace(kind, with: .usable)
    return frameCount
  }
}
