public import Addresses
import Assertions

// A memory map in normal form at all times.
//
// Adding a range sweeps once over the sorted, disjoint entries that are there and writes the result to a second
// buffer: what the range covers alone gets its kind, what both cover the stricter of the two, and neighbours of one
// kind become one entry. So the order in which a boot loader lists its ranges does not matter, nor does overlap:
//
//   the kind of a byte is the strictest of all ranges added that contain it,
//
// and nothing is left half done when the storage is full, since the buffers are exchanged only at the end.

/// The physical memory of a machine: disjoint ranges in address order, each of one kind, with holes between them.
///
/// The storage is fixed and in the value itself, about 3 KiB: it is what there is before there is an allocator.
public struct MemoryMap: Sendable {
  /// A range and its kind.
  @frozen
  public struct Entry: Hashable, Sendable {
    /// The addresses, in bytes; boot loaders do not always give whole frames.
    public let range: AddrRange<PhysAddr>
    /// What is there.
    public let kind: MemoryKind

    @inlinable public init(range: AddrRange<PhysAddr>, kind: MemoryKind) {
      self.range = range
      self.kind = kind
    }
  }

  /// How many entries a map can have.
  public static var capacity: Int { 128 }

  private var entries: InlineArray<128, Entry>

  /// How many entries there are.
  public private(set) var count = 0

  /// A map of no memory.
  public init() {
    entries = InlineArray(repeating: Entry(range: AddrRange(start: .null, end: .null), kind: .reserved))
  }

  /// The entry at a position, 0 up to ``count``; traps outside.
  public subscript(index: Int) -> Entry {
    require(index >= 0 && index < count, "a memory map has no entry with the number", UInt64(truncatingIfNeeded: index))
    return entries[index]
  }

  /// Adds a range; where it overlaps others, the stricter kind holds. An empty range adds nothing.
  ///
  /// Throws ``MemoryMapError/full`` when the result would have more than ``capacity`` entries; the map is as it was
  /// then.
  /// - Complexity: O(`count`)
  public mutating func add(_ range: AddrRange<PhysAddr>, _ kind: MemoryKind) throws(MemoryMapError) {
    if range.isEmpty { return }
    var result = MemoryMap()
    // What is left to place of the new range.
    var start = range.start
    for index in 0..<count {
      let old = entries[index]
      if start < range.end && start < old.range.start {
        let end = min(range.end, old.range.start)
        try result.append(start, end, kind)
        start = end
      }
      guard range.overlaps(old.range) else {
        try result.append(old.range.start, old.range.end, old.kind)
        continue
      }
      let end = min(range.end, old.range.end)
      try result.append(old.range.start, start, old.kind)
      try result.append(max(start, old.range.start), end, max(kind, old.kind))
      try result.append(end, old.range.end, old.kind)
      start = end
    }
    try result.append(start, range.end, kind)
    self = result
  }

  /// Makes every entry of a kind another kind, whatever their strictness, and joins neighbours.
  ///
  /// - Complexity: O(`count`)
  public mutating func replace(_ kind: MemoryKind, with other: MemoryKind) {
    var result = MemoryMap()
    for index in 0..<count {
      let entry = entries[index]
      // As many entries as before at most, so that there is room.
      try? result.append(entry.range.start, entry.range.end, entry.kind == kind ? other : entry.kind)
    }
    self = result
  }

  /// How many bytes there are of a kind.
  public func byteCount(of kind: MemoryKind) -> UInt64 {
    var sum: UInt64 = 0
    for index in 0..<count where entries[index].kind == kind { sum += entries[index].range.byteCount }
    return sum
  }

  /// Adds an entry at the end, to the last one if it continues that.
  private mutating func append(_ start: PhysAddr, _ end: PhysAddr, _ kind: MemoryKind) throws(MemoryMapError) {
    if start >= end { return }
    if count > 0, entries[count - 1].kind == kind, entries[count - 1].range.end == start {
      entries[count - 1] = Entry(range: AddrRange(start: entries[count - 1].range.start, end: end), kind: kind)
      return
    }
    guard count < MemoryMap.capacity else { throw .full }
    entries[count] = Entry(range: AddrRange(start: start, end: end), kind: kind)
    count += 1
  }
}

/// Why a memory map could not be read.
public enum MemoryMapError: Error, Equatable, Sendable {
  /// There are more than ``MemoryMap/capacity`` entries.
  case full
  /// The bytes end before they should: how many there are, and how many it takes.
  case truncated(byteCount: Int, needed: Int)
  /// Entries have a size that the format does not have.
  case entrySize(Int)
  /// The tag is of another type than a memory map, which is 6.
  case tagType(UInt32)
  /// A tag says that it is smaller than its own header.
  case tagSize(Int)
  /// The information has no memory map.
  case noMemoryMap
  /// The entry with this number ends past the last address.
  case overflow(entry: Int)
}
