public import Addresses
public import Assertions
public import MemoryProtocols
public import PageTables

extension VirtualAreas {
  /// Allocates an area with memory of its own. Its frames need not be neighbours; its content is undefined.
  ///
  /// - Parameters:
  ///   - byteCount: How many bytes, rounded up to 4 KiB; traps when it is 0.
  ///   - permissions: What the pages allow; traps if nothing.
  ///   - alignment: A power of two; anything else traps.
  ///   - table: The page tables.
  ///   - frames: The allocator of pages, tables and records.
  ///   - tlb: Flushed when freed areas are purged, or a part that was mapped is unmapped again.
  /// - Throws: ``VirtualAreaError/noRoom(_:)``, `outOfFrames`, `unsupportedPermissions`.
  /// - Complexity: O(pages + log n) for n areas, and a purge if there is no room or no frame without it
  @inlinable
  public mutating func allocate<Format: PageTableFormat>(
    _ byteCount: UInt, _ permissions: MemPerm = .kernelData, alignment: UInt = 4096,
    in table: inout PageTable<Format, Mapper>, _ frames: inout some FrameAllocator & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(VirtualAreaError) -> AddrRange<VirtAddr> {
    let attributes = PageAttributes(permissions)
    try requireSupport(for: attributes, Format.self)
    while true {
      do throws(VirtualAreaError) {
        let area = try reserve(byteCount, alignment, .memory, &frames)
        if mapMemory(area.range, attributes, in: &table, &frames, &tlb) { return area.range }
        areas.remove(area, &frames)
        throw .outOfFrames
      } catch {
        if waitingAreaCount == 0 { throw error }
      }
      purge(in: &table, &frames, &tlb)
    }
  }

  /// Allocates a kernel stack. Its first stack pointer is the area's end, and the guard below catches its overflow.
  ///
  /// Traps and throws as ``allocate(_:_:alignment:in:_:_:)`` does.
  /// - Returns: The stack's addresses, `byteCount` rounded up to 4 KiB.
  @inlinable
  public mutating func allocateStack<Format: PageTableFormat>(
    _ byteCount: UInt = 16384, in table: inout PageTable<Format, Mapper>,
    _ frames: inout some FrameAllocator & ~Copyable, _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(VirtualAreaError) -> AddrRange<VirtAddr> {
    require(guardByteCount > 0, "a stack needs a guard, but the areas have none")
    return try allocate(byteCount, .kernelData, in: &table, &frames, &tlb)
  }

  /// Allocates an area that maps frames of another owner, with the largest pages that fit.
  ///
  /// They are mapped as device registers unless `memoryType` says that they are memory, as in an address space.
  /// - Parameters:
  ///   - target: The frames; freeing the area leaves them alone.
  ///   - permissions: What the pages allow; traps if nothing.
  ///   - memoryType: How the processor caches the pages.
  ///   - alignment: A power of two; anything else traps. Large pages need theirs.
  ///   - table: The page tables.
  ///   - frames: The allocator of tables and records.
  ///   - tlb: Flushed when freed areas are purged.
  /// - Throws: ``VirtualAreaError/unreachableFrames(_:)``, `noRoom`, `outOfFrames`, `unsupportedPermissions`,
  ///   `unsupportedMemoryType`.
  /// - Complexity: O(pages + log n) for n areas
  @inlinable
  public mutating func map<Format: PageTableFormat>(
    _ target: AddrRange<PhysAddr>, _ permissions: MemPerm, as memoryType: MemoryType = .device,
    alignment: UInt = 4096, in table: inout PageTable<Format, Mapper>,
    _ frames: inout some FrameAllocator & ~Copyable, _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(VirtualAreaError) -> AddrRange<VirtAddr> {
    let attributes = PageAttributes(permissions, memoryType)
    try requireSupport(for: attributes, Format.self)
    guard target.isAligned(to: 4096), !target.isEmpty else { throw .unreachableFrames(target.start) }
    while true {
      do throws(VirtualAreaError) {
        let byteCount = UInt(truncatingIfNeeded: target.byteCount)
        guard UInt64(byteCount) == target.byteCount else { throw .noRoom(.max) }
        let area = try reserve(byteCount, alignment, .foreignFrames, &frames)
        do throws(RangeError<MapError>) {
          // Nothing was mapped there since the last flush.
          try table.map(area.range, to: target.start, attributes, &frames).ignore()
          return area.range
        } catch {
          areas.remove(area, &frames)
          if error.cause == .misalignedFrame { throw .unreachableFrames(target.start) }
          throw .outOfFrames
        }
      } catch {
        if waitingAreaCount == 0 { throw error }
      }
      purge(in: &table, &frames, &tlb)
    }
  }

  /// Throws unless a processor can map pages so; traps unless they have 4 KiB.
  @inlinable
  func requireSupport<Format: PageTableFormat>(
    for attributes: PageAttributes, _ format: Format.Type
  ) throws(VirtualAreaError) {
    require(
      Format.granule == .size4KiB, "virtual areas must have a granule of 4 KiB, found bytes", Format.granule.byteCount)
    if !Format.supports(attributes.permissions) { throw .unsupportedPermissions(attributes.permissions) }
    if !Format.supports(attributes.memoryType) { throw .unsupportedMemoryType(attributes.memoryType) }
  }

  /// Takes the lowest addresses that fit.
  @inlinable
  mutating func reserve(
    _ byteCount: UInt, _ alignment: UInt, _ content: VirtualArea.Content,
    _ frames: inout some FrameAllocator & ~Copyable
  ) throws(VirtualAreaError) -> VirtualArea {
    require(byteCount > 0, "an area must have at least one byte")
    guard let rounded = VirtAddr(byteCount).checkedAlignedUp(to: 4096)?.raw else { throw .noRoom(byteCount) }
    let bounds = AddrRange(start: range.start + guardByteCount, through: range.last - guardByteCount)
    let request = GapRequest(rounded, alignment: alignment, guardByteCount: guardByteCount, in: bounds)
    guard let start = areas.lowestPlace(for: request) else { throw .noRoom(byteCount) }
    let area = VirtualArea(AddrRange(start: start, through: start + (rounded - 1)), content)
    guard areas.insert(area, &frames) else { throw .outOfFrames }
    return area
  }

  /// Maps a range to new frames; false, with everything unmapped and free again, when there are too few.
  @inlinable
  mutating func mapMemory<Format: PageTableFormat>(
    _ range: AddrRange<VirtAddr>, _ attributes: PageAttributes, in table: inout PageTable<Format, Mapper>,
    _ frames: inout some FrameAllocator & ~Copyable, _ tlb: inout some TLBInvalidator & ~Copyable
  ) -> Bool {
    var pages = range.pages()
    while let page = pages.next() {
      if map(page, attributes, in: &table, &frames) { continue }
      if page.start == range.start { return false }
      // A processor may have cached a translation on its own, although nobody used the area yet.
      var chain = FrameChain()
      unmap(range, .memory, in: &table, &chain, &frames, &tlb).flush(using: &tlb)
      chain.deallocate(to: &frames, mapper)
      table.deallocateRetiredTables(&frames)
      return false
    }
    return true
  }

  /// Maps a page to a new frame; false when a frame or a table is missing.
  @inlinable
  func map<Format: PageTableFormat>(
    _ page: Page<VirtAddr>, _ attributes: PageAttributes, in table: inout PageTable<Format, Mapper>,
    _ frames: inout some FrameAllocator & ~Copyable
  ) -> Bool {
    guard let frame = frames.allocate(.size4KiB) else { return false }
    do throws(MapError) {
      // Nothing was mapped there since the last flush.
      try table.map(page, to: frame, attributes, &frames).ignore()
      return true
    } catch {
      require(error == .frameAllocationFailed, "the addresses of areas must be nobody else's", UInt64(page.start.raw))
      frames.deallocate(frame)
      return false
    }
  }
}
