public import Addresses
import Assertions

// An allocator for the time before there is a frame table, as Linux's memblock: it takes memory out of the map by
// changing its kind, and the frame allocator that starts from the map later finds it in use. Boot needs little of it
// (the frame table above all), so each call is a walk over the entries.
//
// It takes the highest memory that fits: low memory is what devices with few address lines need.

extension MemoryMap {
  /// Takes the highest `byteCount` bytes of usable memory that fit; nil when there are none.
  ///
  /// The memory has `kind` from then on. A frame allocator that starts from the map finds it reserved; it is given back
  /// by ``deallocate(_:)`` before that, or by the frame allocator's `unreserve` after it. With a reclaimable kind, all
  /// of it can be given back at once. The page at address 0 is never taken.
  ///
  /// - Parameters:
  ///   - byteCount: At least 1. Traps for 0.
  ///   - alignment: What the address is a multiple of: a power of two.
  ///   - bounds: Where the memory must lie, such as what the boot page tables map. Everywhere by default.
  ///   - node: The NUMA node that the memory must belong to; any by default.
  ///   - kind: What the memory is from then on. Traps for ``MemoryKind/usable``.
  /// - Throws: ``MemoryMapError/full(capacity:)``, with the map unchanged, when the map has no room for the entries.
  /// - Complexity: O(`count`)
  public mutating func allocate(
    byteCount: UInt64, alignment: UInt64 = 4096, within bounds: AddrRange<PhysAddr>? = nil, onNode node: UInt32? = nil,
    as kind: MemoryKind = .kernel
  ) throws(MemoryMapError) -> AddrRange<PhysAddr>? {
    require(byteCount > 0, "memory taken out of a memory map must have at least one byte")
    require(alignment.isPowerOfTwo, "an alignment must be a power of two, found", alignment)
    require(kind != .usable, "memory taken out of a memory map must not stay usable")
    let whole = AddrRange(start: PhysAddr(4096), end: addressLimit)
    guard let bounds = (bounds ?? whole).intersection(whole) else { return nil }
    for index in stride(from: count - 1, through: 0, by: -1) {
      let entry = self[index]
      guard entry.kind == .usable, node == nil || node == entry.node,
        let usable = entry.range.intersection(bounds), usable.byteCount >= byteCount
      else { continue }
      let start = (usable.end - byteCount).alignedDown(to: alignment)
      guard start >= usable.start else { continue }
      let taken = AddrRange(start: start, byteCount: byteCount)
      try add(taken, kind)
      return taken
    }
    return nil
  }

  /// Makes memory usable again that ``allocate(byteCount:alignment:within:onNode:as:)`` took.
  ///
  /// Traps unless all of `range` is memory that is not usable: see ``MemoryKind/isMemory``.
  /// - Complexity: O(`count`)
  public mutating func deallocate(_ range: AddrRange<PhysAddr>) throws(MemoryMapError) {
    var end = range.start
    for index in 0..<count where self[index].range.overlaps(range) {
      let entry = self[index]
      require(
        entry.range.start <= end && entry.kind != .usable && entry.kind.isMemory,
        "only memory that was taken out of a memory map can be given back to it, found", entry.range.start.raw)
      end = entry.range.end
    }
    require(
      range.isEmpty || end >= range.end,
      "only memory that was taken out of a memory map can be given back to it, found",
      end.raw)
    try change(range) { old in old.map { MemoryAttributes(kind: .usable, node: $0.node) } }
  }
}
