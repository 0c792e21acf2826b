public import Addresses
public import Assertions

// Adding regions and finding room for them.
//
// Placement is first fit: the lowest gap that holds the range at its alignment with a guard gap on either side. The gap
// below a stack ends at the stack's growth limit. First fit keeps the space dense, and with it the tables: neighbours
// share them.

extension AddressSpace {
  /// The lowest free range of `byteCount` bytes, nil when there is none.
  ///
  /// - Parameters:
  ///   - alignment: A power of two, at least 4 KiB; anything else traps.
  ///   - guardByteCount: How many bytes must be free on either side; must be a multiple of 4 KiB.
  /// - Complexity: O(n) for n regions
  @inlinable
  public func findFreeRange(
    _ byteCount: UInt, alignment: UInt = 4096, guardByteCount: UInt = 0
  ) -> AddrRange<VirtAddr>? {
    guard byteCount > 0, let rounded = VirtAddr(byteCount).checkedAlignedUp(to: 4096)?.raw else { return nil }
    var lowest = range.start
    for index in 0...regions.count {
      let gapEnd = index < regions.count ? regions[index].growthLimit : range.end
      let aligned = lowest.checkedAdd(lowest == range.start ? 0 : guardByteCount)?
        .checkedAlignedUp(to: max(alignment, 4096))
      if let start = aligned, let end = start.checkedAdd(rounded),
        let guarded = end.checkedAdd(index < regions.count ? guardByteCount : 0), guarded <= gapEnd
      {
        return AddrRange(start: start, end: end)
      }
      if index < regions.count { lowest = regions[index].end }
    }
    return nil
  }

  /// Adds a region, filled with zeros on first touch, at the lowest free place.
  ///
  /// - Returns: Its range, `byteCount` rounded up to 4 KiB.
  /// - Throws: ``AddressSpaceError/noRoom(_:)``, `tooManyRegions`, `outOfFrames`.
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
  /// Traps for fixed frames, which ``addRegion(_:_:at:_:)`` maps.
  /// - Throws: ``AddressSpaceError/overlaps(_:)``, `misaligned`, `outside`, `tooManyRegions`, `outOfFrames`.
  /// - Complexity: O(n) for n regions
  @inlinable
  public mutating func addRegion(
    _ range: AddrRange<VirtAddr>, _ permissions: MemPerm, for purpose: VirtualRegion.Purpose = .heap,
    _ frames: inout some CountedFrames & ~Copyable
  ) throws(AddressSpaceError) {
    require(purpose != .fixedFrames, "a region of fixed frames must name its frames")
    try insert(VirtualRegion(range, purpose == .guardPages ? MemPerm() : permissions, purpose), &frames)
  }

  /// Adds a stack. It ends at the end of `range`, starts with `initialByteCount` bytes, and grows down towards the
  /// start of `range` when it is touched below.
  ///
  /// The first page of `range` stays a guard: the stack never gets it.
  /// - Throws: ``AddressSpaceError/overlaps(_:)``, `misaligned`, `outside`, `tooManyRegions`, `outOfFrames`.
  @inlinable
  public mutating func addStack(
    _ range: AddrRange<VirtAddr>, initialByteCount: UInt = 4096, _ permissions: MemPerm,
    _ frames: inout some CountedFrames & ~Copyable
  ) throws(AddressSpaceError) {
    guard initialByteCount > 0, initialByteCount < range.byteCount, initialByteCount % 4096 == 0 else {
      throw .misaligned(range.start)
    }
    let initial = AddrRange(start: range.end - initialByteCount, end: range.end)
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
    guard let end = start.checkedAdd(UInt(truncatingIfNeeded: frames.byteCount)) else {
      throw .outside(AddrRange(start: start, end: start))
    }
    guard frames.isAligned(to: 4096) else { throw .misaligned(start) }
    if table.holdsTable(in: frames) { throw .tableFrame(frames.start) }
    let range = AddrRange(start: start, end: end)
    try insert(VirtualRegion(range, permissions, .fixedFrames), &allocator)
    do throws(RangeError<MapError>) {
      // Nothing was mapped there, and processors do not keep absent translations for long: the first access walks.
      try table.map(range, to: frames.start, PageAttributes(permissions, memoryType), &allocator).ignore()
    } catch {
      regions.remove(at: regions.firstIndex(endingAfter: start))
      switch error.cause {
      case .frameAllocationFailed: throw .outOfFrames
      case .unsupportedMemoryType(let type): throw .unsupportedMemoryType(type)
      case .misalignedFrame: throw .unreachableFrames(frames.start)
      default: throw .overlaps(range)
      }
    }
  }

  /// Adds a region to the list, or throws and leaves everything unchanged.
  @inlinable
  mutating func insert(
    _ region: VirtualRegion, _ frames: inout some CountedFrames & ~Copyable
  ) throws(AddressSpaceError) {
    let reach = region.reach
    if region.purpose != .guardPages, !Format.supports(region.permissions) {
      throw .unsupportedPermissions(region.permissions)
    }
    guard reach.isAligned(to: 4096), !region.range.isEmpty else { throw .misaligned(reach.start) }
    guard range.contains(reach) else { throw .outside(reach) }
    let index = regions.firstIndex(endingAfter: reach.start)
    if index < regions.count, regions[index].growthLimit < reach.end { throw .overlaps(regions[index].reach) }
    try regions.makeRoom(for: 1, table.mapper, &frames)
    regions.insert(region, at: index)
  }
}
