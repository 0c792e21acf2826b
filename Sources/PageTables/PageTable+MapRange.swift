public import Addresses
public import Assertions
public import MemoryProtocols

// Mapping a range.
//
// The plan walks what exists below the range, finds the first mapping in the way, and counts the tables that are
// missing. A slot that is empty takes a large page when the range covers it and the frame is aligned to it; else it
// takes a table. A slot that already holds a table keeps it, and its part of the range gets smaller pages. Then
// the tables are allocated, and the second walk fills them; each new subtree is finished before it is linked.

extension PageTable {
  /// Maps a range to the frames from `start` on, with the largest pages that fit.
  ///
  /// - Parameters:
  ///   - range: What to map, at multiples of 4 KiB; anything else traps.
  ///   - start: The first frame. ``MapError/misalignedFrame`` unless a multiple of 4 KiB, and when the frames do
  ///     not fit the format's entries.
  ///   - permissions: What to allow; traps unless that is something.
  ///   - largest: The largest page to use.
  ///   - allocator: Where missing tables come from.
  /// - Throws: The first page that stood in the way, and why.
  /// - Complexity: O(pages); no table is visited more than twice.
  @inlinable
  public mutating func map(
    _ range: AddrRange<VirtAddr>, to start: PhysAddr, _ permissions: MemPerm, largest: PageSize = .size1GiB,
    _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(RangeError<MapError>) -> TLBFlush {
    requireSomething(permissions)
    let span = try mapSpan(range)
    if span.isEmpty { return span.flush() }
    let (last, overflow) = start.raw.addingReportingOverflow(span.end - span.start - 1)
    guard !overflow, Format.canHold(last), start.isAligned(to: 4096) else {
      throw RangeError(.misalignedFrame, at: span.page(at: span.start))
    }
    let order = MapOrder<Format>(
      distance: start.raw &- span.start, permissions: permissions, largestLevel: min(largest, largestPage).level)
    let count = try tablesMissing(rootTable, level: Format.rootLevel, span, order)
    guard var chain = TableChain.allocate(count, &allocator, mapper) else {
      throw RangeError(.frameAllocationFailed, at: span.page(at: span.start))
    }
    fill(rootTable, level: Format.rootLevel, span, order, &chain)
    return span.flush()
  }

  /// Maps frames at their own addresses.
  /// - Complexity: O(pages)
  @inlinable
  public mutating func mapIdentity(
    _ frames: AddrRange<PhysAddr>, _ permissions: MemPerm, largest: PageSize = .size1GiB,
    _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(RangeError<MapError>) -> TLBFlush {
    try map(frames, offset: 0, permissions, largest: largest, &allocator)
  }

  /// Maps frames at their own addresses plus `offset`, as a kernel's direct map does.
  ///
  /// Traps when an address would be past the last one.
  /// - Complexity: O(pages)
  @inlinable
  public mutating func map(
    _ frames: AddrRange<PhysAddr>, offset: UInt, _ permissions: MemPerm, largest: PageSize = .size1GiB,
    _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(RangeError<MapError>) -> TLBFlush {
    require(
      frames.end.raw <= UInt64(UInt.max - offset), "mapped frames must fit the address space, found", frames.end.raw)
    let start = VirtAddr(UInt(truncatingIfNeeded: frames.start.raw) + offset)
    return try map(
      AddrRange(start: start, byteCount: UInt(truncatingIfNeeded: frames.byteCount)), to: frames.start, permissions,
      largest: largest, &allocator)
  }

  /// The plan: how many tables the span needs that do not exist.
  @inlinable
  func tablesMissing(
    _ table: Table, level: Int, _ span: TableSpan, _ order: MapOrder<Format>
  ) throws(RangeError<MapError>) -> Int {
    if level == 0 {
      try requireEmpty(table, span)
      return 0
    }
    var count = 0
    var at = span.start
    while at < span.end {
      let slot = span.slot(at: at, level: level)
      let entry = table[slotIndex(at, level: level)]
      switch Format.kind(of: entry, level: level) {
      case .empty: count += order.tablesForEmptySlot(slot, level: level)
      case .table: count += try tablesMissing(self.table(entry), level: level - 1, slot, order)
      case .leaf: throw RangeError(.alreadyMapped, at: span.page(at: at, level: level))
      case .malformed: throw RangeError(.internalError, at: span.page(at: at, level: level))
      }
      at = slot.end
    }
    return count
  }

  /// Throws for the first page of a span that a table of level 0 maps.
  @inlinable @inline(__always)
  func requireEmpty(_ table: Table, _ span: TableSpan) throws(RangeError<MapError>) {
    var index = slotIndex(span.start, level: 0)
    let end = slotIndex(span.end - 4096, level: 0) + 1
    while index < end {
      if Format.isPresent(table[index]) {
        let at = (span.start & ~(slotByteCount(1) - 1)) + UInt64(truncatingIfNeeded: index) * 4096
        throw RangeError(
          Format.kind(of: table[index], level: 0) == .leaf ? .alreadyMapped : .internalError, at: span.page(at: at))
      }
      index += 1
    }
  }

  /// Writes what was planned.
  @inlinable
  func fill(
    _ table: Table, level: Int, _ span: TableSpan, _ order: MapOrder<Format>, _ chain: inout TableChain
  ) {
    if level == 0 {
      fillLeaves(table, span, order)
      return
    }
    var at = span.start
    while at < span.end {
      let slot = span.slot(at: at, level: level)
      let index = slotIndex(at, level: level)
      let entry = table[index]
      if Format.kind(of: entry, level: level) == .table {
        fill(self.table(entry), level: level - 1, slot, order, &chain)
      } else if order.fitsLeaf(slot, level: level) {
        table.store(order.leaf(at: at, level: level), at: index)
      } else {
        let (newEntry, newTable) = level == 1 ? takeLeafTable(&chain, toFill: slot) : takeTable(&chain)
        fill(newTable, level: level - 1, slot, order, &chain)
        table.link(newEntry, at: index)
      }
      at = slot.end
    }
  }

  @inlinable @inline(__always)
  func fillLeaves(_ table: Table, _ span: TableSpan, _ order: MapOrder<Format>) {
    var index = slotIndex(span.start, level: 0)
    let end = slotIndex(span.end - 4096, level: 0) + 1
    var bits = order.leaf(at: span.start, level: 0).bits
    let step = Format.leafEntry(PhysAddr(4096), .read, level: 0).bits &- Format.leafEntry(.null, .read, level: 0).bits
    while index < end {
      table.store(PageTableEntry(bits), at: index)
      // Wraps only past the last entry, since every frame of the range fits an entry.
      bits &+= step
      index += 1
    }
  }
}

/// What a range is to be mapped to.
@frozen
@usableFromInline
struct MapOrder<Format: PageTableFormat> {
  /// What a frame's address has more than the translated bits of its page's, modulo 2 to the 64.
  @usableFromInline let distance: UInt64
  /// What the pages allow.
  @usableFromInline let permissions: MemPerm
  /// The highest level at which pages may be mapped.
  @usableFromInline let largestLevel: Int

  @inlinable init(distance: UInt64, permissions: MemPerm, largestLevel: Int) {
    self.distance = distance
    self.permissions = permissions
    self.largestLevel = largestLevel
  }

  /// Whether one page of a level can map the whole slot.
  @inlinable @inline(__always)
  func fitsLeaf(_ slot: TableSpan, level: Int) -> Bool {
    level <= largestLevel && slot.isWholeSlot(level: level) && distance & (slotByteCount(level) - 1) == 0
  }

  /// The leaf for the page at the translated bits `at`.
  @inlinable @inline(__always)
  func leaf(at: UInt64, level: Int) -> PageTableEntry {
    Format.leafEntry(PhysAddr(at &+ distance), permissions, level: level)
  }

  /// How many tables the part of a range needs that lies in an empty slot of a level.
  @inlinable
  func tablesForEmptySlot(_ slot: TableSpan, level: Int) -> Int {
    if fitsLeaf(slot, level: level) { return 0 }
    if level == 1 { return 1 }
    var count = 1
    var at = slot.start
    while at < slot.end {
      let part = slot.slot(at: at, level: level - 1)
      count += tablesForEmptySlot(part, level: level - 1)
      at = part.end
    }
    return count
  }
}
