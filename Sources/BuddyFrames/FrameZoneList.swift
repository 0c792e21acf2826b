import Addresses

// The zones and what is known about each pair of them, in memory that the caller gave:
//
//   zones | reserves: a word for each pair | regions | fallbacks: 4 bytes for each pair

/// Zones and their relations.
///
/// A handle: copies share the zones.
struct FrameZoneList {
  /// A bank of a zone.
  struct Region {
    var range: AddrRange<PhysAddr>
    var zone: Int
  }

  let capacity: Int
  let regionCapacity: Int
  private let zones: UInt
  private let reserves: UInt
  private let regions: UInt
  private let fallbacks: UInt

  static func byteCount(zones capacity: Int, regions regionCapacity: Int) -> UInt {
    UInt(capacity) * UInt(MemoryLayout<FrameZone>.stride) + UInt(capacity * capacity) * 12
      + UInt(regionCapacity) * UInt(MemoryLayout<Region>.stride)
  }

  init(zones capacity: Int, regions regionCapacity: Int, at memory: VirtAddr) {
    self.capacity = capacity
    self.regionCapacity = regionCapacity
    zones = memory.raw
    reserves = zones + UInt(capacity) * UInt(MemoryLayout<FrameZone>.stride)
    regions = reserves + UInt(capacity * capacity) * 8
    fallbacks = regions + UInt(regionCapacity) * UInt(MemoryLayout<Region>.stride)
  }

  /// The zone with a number below the count.
  @inline(__always)
  func zone(_ number: Int) -> UnsafeMutablePointer<FrameZone> {
    // SAFETY: the list's memory has room for `capacity` zones, and is not at address 0.
    unsafe UnsafeMutablePointer(bitPattern: zones + UInt(number * MemoryLayout<FrameZone>.stride)).unsafelyUnwrapped
  }

  /// How many frames of a zone requests for zone `preferred` must leave.
  @inline(__always)
  func reserve(_ zone: Int, _ preferred: Int) -> UnsafeMutablePointer<UInt64> {
    // SAFETY: the list's memory has a word for each pair.
    unsafe UnsafeMutablePointer(bitPattern: reserves + UInt(zone * capacity + preferred) * 8).unsafelyUnwrapped
  }

  /// The zone at `position` of the list of fallbacks of a zone; -1 behind the last.
  @inline(__always)
  func fallback(_ zone: Int, _ position: Int) -> UnsafeMutablePointer<Int32> {
    // SAFETY: the list's memory has 4 bytes for each pair.
    unsafe UnsafeMutablePointer(bitPattern: fallbacks + UInt(zone * capacity + position) * 4).unsafelyUnwrapped
  }

  /// The region at an index below the capacity.
  @inline(__always)
  func region(_ index: Int) -> UnsafeMutablePointer<Region> {
    // SAFETY: the list's memory has room for `regionCapacity` regions.
    unsafe UnsafeMutablePointer(bitPattern: regions + UInt(index * MemoryLayout<Region>.stride)).unsafelyUnwrapped
  }
}
