public import Addresses
import Assertions

// A memory map that is always in normal form.
//
// Adding a range sweeps once over the sorted, disjoint entries and writes the result to a second buffer. Bytes in the
// new range alone get its kind, bytes in both get the stricter kind, and adjacent entries of one kind become one. So
// neither the order in which a boot loader lists its ranges nor their overlap matters:
//
//   the kind of a byte is the strictest of all added ranges that contain it.
//
// The buffers are swapped only at the end, so a full storage leaves nothing half done.

/// The physical memory of a machine: disjoint ranges in address order, each of one kind, with holes between them.
///
/// The storage is fixed and inline, about 3 KiB: the map exists before any allocator does.
public struct MemoryMap: Sendable {
  /// A range and its kind.
  @frozen
  public struct Entry: Hashable, Sendable {
    /// The addresses, in bytes; boot loaders do not always list whole frames.
    public let range: AddrRange<PhysAddr>
    /// The kind of the memory.
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

  /// Adds a range; where it overlaps others, the stricter kind wins. An empty range adds nothing.
  ///
  /// Throws ``MemoryMapError/full``, with the map unchanged, when the result would have more than ``capacity`` entries.
  /// - Complexity: O(`count`)
  public mutating func add(_ range: AddrRange<PhysAddr>, _ kind: MemoryKind) throws(MemoryMapError) {
    if range.isEmpty { return }
    var result = MemoryMap()
    // The part of the new range still to be placed.
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

  /// Changes every entry of one kind to another, whatever their strictness, and joins adjacent entries.
  ///
  /// - Complexity: O(`count`)
  public mutating func replace(_ kind: MemoryKind, with other: MemoryKind) {
    var result = MemoryMap()
    for index in 0..<count {
      let entry = entries[index]
      // There are never more entries than before, so they fit.
      try? result.append(entry.range.start, entry.range.end, entry.kind == kind ? other : entry.kind)
    }
    self = result
  }

  /// How many bytes of a kind there are.
  public func byteCount(of kind: MemoryKind) -> UInt64 {
    var sum: UInt64 = 0
    for index in 0..<count where entries[index].kind == kind { sum += entries[index].range.byteCount }
    return sum
  }

  /// Appends an entry, or extends the last one if it continues that.
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

/// Why a memory map could not be read or extended.
public enum MemoryMapError: Error, Equatable, Sendable {
  /// The map would have more than ``MemoryMap/capacity`` entries.
  case full
  /// The bytes end too early: how many there are, and how many are needed.
  case truncated(byteCount: Int, needed: Int)
  /// The format has no entries of this size.
  case entrySize(Int)
  /// The tag is not a memory map, whose type is 6.
  case tagType(UInt32)
  /// A tag says that it is smaller than its own header.
  case tagSize(Int)
  /// The information contains no memory map.
  case noMemoryMap
  /// The entry with this number ends past the last address.
  case overflow(entry: Int)
}
