public import Addresses
import Assertions

// A memory map that is always in normal form.
//
// A change of a range sweeps once over the sorted, disjoint entries and writes the result to a second buffer: bytes in
// the range get new attributes, all others keep theirs, and adjacent entries with equal attributes become one. Adding
// gives bytes in the new range alone its kind, and bytes in both the stricter kind. So neither the order in which a boot
// loader lists its ranges nor their overlap matters:
//
//   the kind of a byte is the strictest of all added ranges that contain it.
//
// The buffers are swapped only at the end, so a full map leaves nothing half done. Most firmware lists its ranges in
// address order; a range above all others is appended without a sweep.

/// The physical memory of a machine: disjoint ranges in address order, each of one kind and one NUMA node, with holes
/// between them.
///
/// The entries lie in memory that the caller gives, of any size: the map exists before any allocator does. A map that
/// turns out too small moves to larger memory, which it can allocate from itself.
///
/// ```swift
/// var map = MemoryMap(in: storage)
/// try map.add(e820: table)
/// try map.add(kernelImage, .kernel)
/// ```
///
/// | file | what is in it |
/// | --- | --- |
/// | `MemoryMap+Allocation.swift` | memory taken out of the map before there is a frame table |
/// | `MemoryMap+E820.swift` | the table of a PC's firmware |
/// | `MemoryMap+UEFI.swift` | the memory map of UEFI |
/// | `MemoryMap+Multiboot1.swift`, `MemoryMap+Multiboot2.swift` | what Multiboot loaders such as GRUB pass |
/// | `MemoryMap+PVH.swift` | what Xen, QEMU and Firecracker pass |
/// | `MemoryMap+Limine.swift` | what the Limine boot loader passes |
/// | `MemoryMap+DeviceTree.swift` | flattened device trees |
/// | `MemoryMap+SRAT.swift` | the NUMA nodes in ACPI's table |
public struct MemoryMap: ~Copyable {
  /// A range, its kind and its node.
  @frozen
  public struct Entry: Hashable, Sendable {
    /// The addresses, in bytes; boot loaders do not always list whole frames.
    public let range: AddrRange<PhysAddr>
    /// The kind of the memory.
    public let kind: MemoryKind
    /// The NUMA node, as the firmware numbers it; 0 where nothing else was said.
    public let node: UInt32

    /// A range and what it is.
    @inlinable public init(range: AddrRange<PhysAddr>, kind: MemoryKind, node: UInt32 = 0) {
      self.range = range
      self.kind = kind
      self.node = node
    }
  }

  private var entries: EntryList
  /// Where the next change is written.
  private var spare: EntryList
  private var memory: AddrRange<VirtAddr>

  /// The address that no memory reaches: what lies at it or above is not added.
  public let addressLimit: PhysAddr

  /// How many bytes a map of `count` entries needs, at a multiple of ``storageAlignment``.
  ///
  /// A map of n added ranges has at most 2n - 1 entries.
  public static func byteCount(forEntries count: Int) -> UInt { 2 * UInt(count) * EntryList.entryByteCount }

  /// The alignment that a map's memory needs, in bytes.
  public static var storageAlignment: UInt { 8 }

  /// A map of no memory.
  ///
  /// - Parameters:
  ///   - storage: Memory for the entries, used by nobody else while the map is. Its size decides how many there can
  ///     be: see ``byteCount(forEntries:)``. Traps at address 0 and unless it starts at a multiple of
  ///     ``storageAlignment``.
  ///   - addressBits: The width of the processor's physical addresses, 32 to 63. x86-64 and AArch64 have at most 52;
  ///     firmware that lists anything above describes no memory of this machine.
  public init(in storage: AddrRange<VirtAddr>, addressBits: Int = 52) {
    require(addressBits >= 32 && addressBits < 64, "physical addresses must have 32 to 63 bits")
    addressLimit = PhysAddr(1 << UInt64(addressBits))
    (entries, spare) = MemoryMap.lists(in: storage)
    memory = storage
  }

  /// How many entries the map has room for.
  public var capacity: Int { entries.capacity }

  /// How many entries there are.
  public var count: Int { entries.count }

  /// The entry at a position, 0 up to ``count``; traps outside.
  public subscript(index: Int) -> Entry {
    require(index >= 0 && index < count, "a memory map has no entry with the number", UInt64(truncatingIfNeeded: index))
    return entries[index]
  }

  /// Moves the entries to other memory, usually larger; the old memory is the caller's again.
  ///
  /// Traps as ``init(in:addressBits:)`` does, and when the entries do not fit.
  ///
  /// - Returns: The old memory.
  /// - Complexity: O(`count`)
  public mutating func move(to storage: AddrRange<VirtAddr>) -> AddrRange<VirtAddr> {
    let old = memory
    let from = entries
    (entries, spare) = MemoryMap.lists(in: storage)
    require(from.count <= capacity, "a memory map must fit the memory it moves to, found entries", UInt64(from.count))
    for index in 0..<from.count { try? entries.append(from[index]) }
    memory = storage
    return old
  }

  private static func lists(in storage: AddrRange<VirtAddr>) -> (EntryList, EntryList) {
    require(
      !storage.start.isNull && storage.start.isAligned(to: storageAlignment),
      "a memory map must start at a multiple of 8 bytes, found", UInt64(storage.start.raw))
    let capacity = Int(storage.byteCount / byteCount(forEntries: 1))
    return (
      EntryList(at: storage.start, capacity: capacity),
      EntryList(at: storage.start + byteCount(forEntries: capacity) / 2, capacity: capacity)
    )
  }

  // MARK: Changes

  /// Adds a range; where it overlaps others, the stricter kind wins and the node stays. An empty range adds nothing,
  /// and neither does what lies above ``addressLimit``.
  ///
  /// Throws ``MemoryMapError/full(capacity:)``, with the map unchanged, when the result would not fit. Adding again what
  /// was added before changes nothing: after a move to larger memory, a whole table can be added anew.
  /// - Complexity: O(`count`); O(1) above all other entries.
  public mutating func add(_ range: AddrRange<PhysAddr>, _ kind: MemoryKind) throws(MemoryMapError) {
    try change(range) { old in MemoryAttributes(kind: max(kind, old?.kind ?? kind), node: old?.node ?? 0) }
  }

  /// Removes a range: it becomes a hole.
  ///
  /// - Complexity: O(`count`)
  public mutating func remove(_ range: AddrRange<PhysAddr>) throws(MemoryMapError) {
    try change(range) { _ in nil }
  }

  /// Says that the memory in `range` belongs to a NUMA node. Holes stay holes.
  ///
  /// - Complexity: O(`count`)
  public mutating func setNode(_ node: UInt32, of range: AddrRange<PhysAddr>) throws(MemoryMapError) {
    try change(range) { old in old.map { MemoryAttributes(kind: $0.kind, node: node) } }
  }

  /// Changes every entry of one kind to another, whatever their strictness, and joins adjacent entries.
  ///
  /// - Complexity: O(`count`)
  public mutating func replace(_ kind: MemoryKind, with other: MemoryKind) {
    spare.removeAll()
    for index in 0..<count {
      var attributes = entries[index].attributes
      if attributes.kind == kind { attributes.kind = other }
      // There are never more entries than before, so they fit.
      try? spare.append(entries[index].range.start, entries[index].range.end, attributes)
    }
    swap(&entries, &spare)
  }

  /// Gives each byte in `range` the attributes that `body` makes of its old ones; nil stands for a hole.
  mutating func change(
    _ range: AddrRange<PhysAddr>, _ body: (MemoryAttributes?) -> MemoryAttributes?
  ) throws(MemoryMapError) {
    // The part of the range still to be placed.
    var start = range.start
    let rangeEnd = min(range.end, addressLimit)
    if start >= rangeEnd { return }
    if count == 0 || entries[count - 1].range.end <= start { return try entries.append(start, rangeEnd, body(nil)) }
    spare.removeAll()
    for index in 0..<count {
      let old = entries[index]
      if start < rangeEnd && start < old.range.start {
        let end = min(rangeEnd, old.range.start)
        try spare.append(start, end, body(nil))
        start = end
      }
      guard start < rangeEnd && start < old.range.end && old.range.start < rangeEnd else {
        try spare.append(old)
        continue
      }
      let end = min(rangeEnd, old.range.end)
      try spare.append(old.range.start, start, old.attributes)
      try spare.append(max(start, old.range.start), end, body(old.attributes))
      try spare.append(end, old.range.end, old.attributes)
      start = end
    }
    try spare.append(start, rangeEnd, body(nil))
    swap(&entries, &spare)
  }

  // MARK: Ranges

  /// Calls `body` for each range all of whose entries satisfy `predicate`, in address order. Adjacent entries are one
  /// range.
  public func forEachRange(
    where predicate: (Entry) -> Bool, _ body: (AddrRange<PhysAddr>) -> Void
  ) {
    var open: AddrRange<PhysAddr>?
    for index in 0..<count where predicate(entries[index]) {
      let next = entries[index].range
      if let last = open, last.end == next.start {
        open = AddrRange(start: last.start, end: next.end)
      } else {
        if let open { body(open) }
        open = next
      }
    }
    if let open { body(open) }
  }

  /// How many bytes of a kind there are.
  public func byteCount(of kind: MemoryKind) -> UInt64 {
    var sum: UInt64 = 0
    for index in 0..<count where entries[index].kind == kind { sum += entries[index].range.byteCount }
    return sum
  }
}
