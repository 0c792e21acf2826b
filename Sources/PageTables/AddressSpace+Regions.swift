public import Addresses
public import Assertions

// Adding regions and finding room for them. A new region joins its neighbours where they are alike in all but their
// addresses. That needs no frame.
//
// Placement is first fit: the lowest gap that holds the range at its alignment with a guard gap on either side. The gap
// below a stack ends at the stack's growth limit. First fit keeps the space dense, and with it the tables: neighbours
// share them.

extension AddressSpace {
  /// The lowest free range of `byteCount` bytes, nil when there is none.
  ///
  /// - Parameters:
  ///   - byteCount: The length; rounded up to a multiple of 4 KiB.
  ///   - alignment: A power of two, at least 4 KiB; anything else traps.
  ///   - guardByteCount: How many bytes must be free on either side; must be a multiple of 4 KiB.
  /// - Complexity: O(log n) for n regions, plus one step for each lower gap that has the bytes but not at the alignment
  @inlinable
  public func findFreeRange(
    _ byteCount: UInt, alignment: UInt = 4096, guardByteCount: UInt = 0
  ) -> AddrRange<VirtAddr>? {
    guard byteCount > 0, let rounded = VirtAddr(byteCount).checkedAlignedUp(to: 4096)?.raw else { return nil }
    let request = GapRequest(rounded, alignment: alignment, guardByteCount: guardByteCount, in: range)
    guard let start = regions.lowestPlace(for: request) else { return nil }
    return AddrRange(start: start, through: start + (rounded - 1))
  }

  /// Adds a region, filled with zeros on first touch, at the lowest free place.
  ///
  /// - Returns: Its range, `byteCount` rounded up to 4 KiB.
  /// - Throws: ``AddressSpaceError/noRoom(_:)``, `outOfFrames`.
  @inlinable
  public mutating func addRegion(
    byteCount: UInt, _ permissions: MemPerm, for purpose: VirtualRegion.Purpose = .heap, alignment: UInt = 4096,
    guardByteCount: UInt = 0, _ frames: inout some CountedFrames & ~Copyable
  ) throws(AddressSpaceError) -> AddrRange<VirtAddr> {
    guard let free = findFreeRange(byteCount, alignment: alignment, guardByteCount: guardByteCount) else {
      throw .noRoom(byteCount)
    }
    try addRegion(free, permissions, for: purpose, &frames)
    return free
  }

  /// Adds a region, filled with zeros on first touch, at a given place.
  ///
  /// Traps for fixed frames, which ``addRegion(_:_:as:at:_:)`` maps.
  /// - Throws: ``AddressSpaceError/overlaps(_:)``, `misaligned`, `outside`, `outOfFrames`.
  /// - Complexity: O(log n) for n regions
  @inlinable
  public mutating func addRegion(
    _ range: AddrRange<VirtAddr>, _ permissions: MemPerm, for purpose: VirtualRegion.Purpose = .heap,
    _ frames: inout some CountedFrames & ~Copyable
  ) throws(AddressSpaceError) {
    require(purpose != .fixedFrames, "a region of fixed frames must name its frames")
    if range.isEmpty { throw .misaligned(range.start) }
    try insert(VirtualRegion(range, purpose == .guardPages ? MemPerm() : permissions, purpose), &frames)
  }

  /// Adds a stack. It ends at the end of `range`, starts with `initialByteCount` bytes, and grows down towards the
  /// start of `range` when it is touched below.
  ///
  /// The first page of `range` stays a guard: the stack never gets it.
  /// - Throws: ``AddressSpaceError/overlaps(_:)``, `misaligned`, `outside`, `outOfFrames`.
  @inlinable
  public mutating func addStack(
    _ range: AddrRange<VirtAddr>, initialByteCount: UInt = 4096, _ permissions: MemPerm,
    _ frames: inout some CountedFrames & ~Copyable
  ) throws(AddressSpaceError) {
    guard initialByteCount > 0, initialByteCount < range.byteCount, initialByteCount % 4096 == 0 else {
      throw .misaligned(range.start)
    }
    let initial = AddrRange(start: range.last - (initialByteCount - 1), through: range.last)
    try insert(VirtualRegion(initial, permissions, .stack, growthLimit: range.start), &frames)
  }

  /// Adds a region that maps frames of another owner, with the largest pages that fit, and never frees them.
  ///
  /// They are mapped as device registers unless `memoryType` says that they are memory: registers that were cached would
  /// fail silently, and memory that is not is only slow.
  /// - Throws: ``AddressSpaceError/tableFrame(_:)`` when one of the frames holds one of this space's tables,
  ///   ``AddressSpaceError/unsupportedMemoryType(_:)``, and the errors of adding any other region.
  /// - Complexity: O(pages + entries of the upper tables)
  @inlinable
  public mutating func addRegion(
    _ frames: AddrRange<PhysAddr>, _ permissions: MemPerm, as memoryType: MemoryType = .device, at start: VirtAddr,
    _ allocator: inout some CountedFrames & ~Copyable
  ) throws(AddressSpaceError) {
    guard frames.isAligned(to: 4096), !frames.isEmpty else { throw .misaligned(start) }
    guard let last = start.checkedAdd(UInt(truncatingIfNeeded: frames.byteCount - 1)) else {
      throw .outside(AddrRange(start: start, end: start))
    }
    if table.holdsTable(in: frames) { throw .tableFrame(frames.start) }
    var region = VirtualRegion(AddrRange(start: start, through: last), permissions, .fixedFrames)
    region.memoryType = memoryType
    let neighbours = try prepareInsertion(of: region, &allocator)
    do throws(RangeError<MapError>) {
      // Nothing was mapped there, and processors do not keep absent translations for long: the first access walks.
      try table.map(region.range, to: frames.start, PageAttributes(permissions, memoryType), &allocator).ignore()
    } catch {
      regions.releaseSpares(&allocator)
      switch error.cause {
      case .frameAllocationFailed: throw .outOfFrames
      case .unsupportedMemoryType(let type): throw .unsupportedMemoryType(type)
      case .misalignedFrame: throw .unreachableFrames(frames.start)
      default: throw .overlaps(region.range)
      }
    }
    insert(region, joining: neighbours, &allocator)
  }

  /// Adds a region, or throws and leaves everything unchanged.
  @inlinable
  mutating func insert(
    _ region: VirtualRegion, _ frames: inout some CountedFrames & ~Copyable
  ) throws(AddressSpaceError) {
    let neighbours = try prepareInsertion(of: region, &frames)
    insert(region, joining: neighbours, &frames)
  }

  /// Checks a new region, and takes the frames that its insertion may need; returns the neighbours that it can join.
  @inlinable
  mutating func prepareInsertion(
    of region: VirtualRegion, _ frames: inout some CountedFrames & ~Copyable
  ) throws(AddressSpaceError) -> RegionNeighbours {
    let reach = region.reach
    if region.purpose != .guardPages, !Format.supports(region.permissions) {
      throw .unsupportedPermissions(region.permissions)
    }
    guard reach.isAligned(to: 4096) else { throw .misaligned(reach.start) }
    guard range.contains(reach) else { throw .outside(reach) }
    var neighbours = RegionNeighbours()
    if let next = regions.first(reaching: reach.start) {
      if next.growthLimit <= reach.last { throw .overlaps(next.reach) }
      if region.joined(with: next) != nil { neighbours.above = next }
    }
    if let below = self.region(endingBelow: region.start), below.joined(with: region) != nil {
      neighbours.below = below
    }
    if neighbours.below == nil, neighbours.above == nil {
      guard regions.reserve(at: region.last, nil, &frames) else { throw .outOfFrames }
    }
    return neighbours
  }

  /// Adds a region that was prepared, as a part of the neighbours that it joins.
  @inlinable
  mutating func insert(
    _ region: VirtualRegion, joining neighbours: RegionNeighbours, _ frames: inout some CountedFrames & ~Copyable
  ) {
    let (below, above) = (neighbours.below, neighbours.above)
    var whole = below ?? region
    whole.last = above?.last ?? region.last
    if let above, below != nil { regions.remove(above) }
    if let joined = below ?? above { regions.replace(joined, with: whole) } else { regions.insert(region) }
    regions.releaseSpares(&frames)
  }

  /// The region that ends where another starts.
  @inlinable
  func region(endingBelow start: VirtAddr) -> VirtualRegion? {
    guard let last = start.checkedSubtract(1), let region = regions.first(reaching: last), region.last == last
    else { return nil }
    return region
  }

  /// Merges the regions from the one below `changed` to the one above it, where they are alike.
  /// - Complexity: O(k log n) for k regions there, of n
  @inlinable
  mutating func mergeRegions(around changed: AddrRange<VirtAddr>) {
    guard var current = regions.first(reaching: changed.start.checkedSubtract(1) ?? changed.start) else { return }
    while current.last <= changed.last, let next = regions.first(after: current) {
      if let joined = current.joined(with: next) {
        regions.remove(next)
        regions.replace(current, with: joined)
        current = joined
      } else {
        current = next
      }
    }
  }

  /// The splits that a change of a range needs, with frames for them; nil, with everything unchanged, when there are too
  /// few.
  @inlinable
  mutating func reserveSplits(
    atEndsOf range: AddrRange<VirtAddr>, _ frames: inout some CountedFrames & ~Copyable
  ) -> RegionSplits? {
    let splits = RegionSplits(
      atStart: region(across: range.start) != nil,
      atEnd: range.last.raw != .max && region(across: range.last + 1) != nil)
    if !splits.atStart, !splits.atEnd { return splits }
    let start = splits.atStart ? range.start - 1 : range.last
    let end = splits.atStart && splits.atEnd ? range.last : nil
    return regions.reserve(at: start, end, &frames) ? splits : nil
  }

  /// Splits the regions that cross the ends of a range.
  @inlinable
  mutating func perform(_ splits: RegionSplits, atEndsOf range: AddrRange<VirtAddr>) {
    if splits.atStart { splitRegion(at: range.start) }
    if splits.atEnd { splitRegion(at: range.last + 1) }
  }

  /// Splits the region that has addresses both below `address` and from there on; the frames must be reserved.
  @inlinable
  mutating func splitRegion(at address: VirtAddr) {
    guard let region = region(across: address) else { return }
    regions.replace(region, with: region.part(from: address, through: region.last))
    regions.insert(region.part(from: region.start, through: address - 1))
  }

  /// The region that has addresses both below `address` and from there on.
  @inlinable
  func region(across address: VirtAddr) -> VirtualRegion? {
    guard let region = regions.first(reaching: address), region.start < address else { return nil }
    return region
  }
}

/// The neighbours that a new region joins.
@frozen
@usableFromInline
struct RegionNeighbours {
  @usableFromInline var below: VirtualRegion?
  @usableFromInline var above: VirtualRegion?

  @inlinable init() {}
}

/// The ends of a range at which a region must be split.
@frozen
@usableFromInline
struct RegionSplits {
  @usableFromInline let atStart: Bool
  @usableFromInline let atEnd: Bool

  @inlinable init(atStart: Bool, atEnd: Bool) {
    self.atStart = atStart
    self.atEnd = atEnd
  }
}
