public import Addresses
public import Assertions
public import MemoryProtocols

// Mapping a range.
//
// The plan walks the existing tables of the range, finds the first mapping in the way, and counts the missing tables.
// An empty slot gets a large page when the range covers it and the frame is aligned to it, otherwise a table. A slot
// that already holds a table keeps it, and its part of the range gets smaller pages. Then the tables are allocated, and
// a second walk fills them; each new subtree is complete before it is linked. Only empty entries are written.

extension PageTable {
  /// Maps a range to the frames from `start` on, with the largest pages that fit.
  ///
  /// - Parameters:
  ///   - range: The pages to map, at multiples of the smallest page; anything else traps.
  ///   - start: The first frame. ``MapError/misalignedFrame`` unless it is a multiple of the smallest page and the
  ///     frames fit the format's entries.
  ///   - attributes: What the pages allow, which traps if it is nothing, and how they are cached.
  ///   - largest: The largest page to use.
  ///   - allocator: The allocator of missing tables.
  /// - Throws: The first page in the way, and why.
  /// - Complexity: O(pages); no table is visited more than twice.
  @inlinable
  public mutating func map(
    _ range: AddrRange<VirtAddr>, to start: PhysAddr, _ attributes: PageAttributes, largest: PageSize = .size1GiB,
    _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(RangeError<MapError>) -> TLBFlush {
    attributes.permissions.requireSomething()
    let span = try mapSpan(range)
    if span.isEmpty { return span.flush() }
    if let refusal = Format.refusal(of: attributes) { throw RangeError(refusal, at: span.page(at: span.start)) }
    let (last, overflow) = start.raw.addingReportingOverflow(span.end - span.start - 1)
    guard !overflow, Format.canHold(last), start.isAligned(to: Format.granule.byteCount) else {
      throw RangeError(.misalignedFrame, at: span.page(at: span.start))
    }
    let order = MapOrder<Format>(
      distance: start.raw &- span.start, attributes: attributes,
      largestLevel: Format.highestLevel(within: min(largest, largestPage)))
    let count = try tablesMissing(rootTable, level: Format.rootLevel, span, order)
    guard var chain = TableChain.allocate(count, of: Format.granule, &allocator, mapper) else {
      throw RangeError(.frameAllocationFailed, at: span.page(at: span.start))
    }
    fill(rootTable, level: Format.rootLevel, span, order, &chain)
    return span.flush()
  }

  /// Maps frames at their own addresses.
  /// - Complexity: O(pages)
  @inlinable
  public mutating func mapIdentity(
    _ frames: AddrRange<PhysAddr>, _ attributes: PageAttributes, largest: PageSize = .size1GiB,
    _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(RangeError<MapError>) -> TLBFlush {
    try map(frames, offset: 0, attributes, largest: largest, &allocator)
  }

  /// Maps frames at their own addresses plus `offset`, like a kernel's direct map.
  ///
  /// Traps when the pages would not fit the address space.
  /// - Complexity: O(pages)
  @inlinable
  public mutating func map(
    _ frames: AddrRange<PhysAddr>, offset: UInt, _ attributes: PageAttributes, largest: PageSize = .size1GiB,
    _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(RangeError<MapError>) -> TLBFlush {
    require(
      frames.end.raw <= UInt64(UInt.max - offset), "mapped frames must fit the address space, found", frames.end.raw)
    let start = VirtAddr(UInt(truncatingIfNeeded: frames.start.raw) + offset)
    return try map(
      AddrRange(start: start, byteCount: UInt(truncatingIfNeeded: frames.byteCount)), to: frames.start, attributes,
      largest: largest, &allocator)
  }

  /// The plan: how many missing tables the span needs.
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
      case .table where !isOwnTable(entry, level: level):
        throw RangeError(.internalError, at: span.page(at: at, level: level))
      case .table: count += try tablesMissing(self.table(entry), level: level - 1, slot, order)
      case .leaf: throw RangeError(.alreadyMapped, at: span.page(at: at, level: level))
      case .malformed: throw RangeError(.internalError, at: span.page(at: at, level: level))
      }
      at = slot.end
    }
    return count
  }

  /// Throws for the first page of a span that a level 0 table maps.
  @inlinable @inline(__always)
  func requireEmpty(_ table: Table, _ span: TableSpan) throws(RangeError<MapError>) {
    var index = slotIndex(span.start, level: 0)
    let end = slotIndex(span.end - Format.granule.byteCount, level: 0) + 1
    while index < end {
      if Format.isPresent(table[index]) {
        let at = (span.start & ~(slotByteCount(1) - 1)) + UInt64(truncatingIfNeeded: index) * Format.granule.byteCount
        throw RangeError(
          Format.kind(of: table[index], level: 0) == .leaf ? .alreadyMapped : .internalError, at: span.page(at: at))
      }
      index += 1
    }
  }

  /// Carries out the plan.
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
        table.vacant(at: index).make(order.leaf(at: at, level: level))
      } else {
        let (newEntry, newTable) = level == 1 ? takeLeafTable(&chain, toFill: slot) : takeTable(&chain)
        fill(newTable, level: level - 1, slot, order, &chain)
        table.vacant(at: index).link(newEntry)
      }
      at = slot.end
    }
  }

  @inlinable @inline(__always)
  func fillLeaves(_ table: Table, _ span: TableSpan, _ order: MapOrder<Format>) {
    var index = slotIndex(span.start, level: 0)
    let end = slotIndex(span.end - Format.granule.byteCount, level: 0) + 1
    var bits = order.leaf(at: span.start, level: 0).bits
    let step = Format.addressBits(PhysAddr(Format.granule.byteCount))
    while index < end {
      table.vacant(at: index).make(PageTableEntry(bits))
      // Wraps only past the last entry, since every frame of the range fits an entry.
      bits &+= step
      index += 1
    }
  }
}

/// How a range is to be mapped.
@frozen
@usableFromInline
struct MapOrder<Format: PageTableFormat> {
  /// The frame's address minus the translated bits of its page, modulo 2^64.
  @usableFromInline let distance: UInt64
  /// The attributes of the pages.
  @usableFromInline let attributes: PageAttributes
  /// The highest level at which pages may be mapped.
  @usableFromInline let largestLevel: Int

  @inlinable init(distance: UInt64, attributes: PageAttributes, largestLevel: Int) {
    self.distance = distance
    self.attributes = attributes
    self.largestLevel = largestLevel
  }

  /// Whether one page of a level can map the whole slot.
  @inlinable @inline(__always)
  func fitsLeaf(_ slot: Format.Span, level: Int) -> Bool {
    level <= largestLevel && slot.isWholeSlot(level: level) && distance & (Format.slotByteCount(level) - 1) == 0
  }

  /// The leaf for the page at the translated bits `at`.
  @inlinable @inline(__always)
  func leaf(at: UInt64, level: Int) -> PageTableEntry {
    Format.leafEntry(PhysAddr(at &+ distance), attributes, level: level)
  }

  /// How many tables a part of a range needs in an empty slot of a level.
  @inlinable
  func tablesForEmptySlot(_ slot: Format.Span, level: Int) -> Int {
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
