public import Addresses
public import Assertions
public import MemoryProtocols
public import PageTables

// The kernel's virtual addresses: what vmalloc, vmap and ioremap are in Linux.
//
// - Placement is first fit with a guard on either side of every area, which is never mapped: a run over either end
//   faults. A kernel stack is an area whose lower guard catches its overflow.
// - An area is unmapped lazily, as in Linux. Unmapping costs an interrupt of every processor, whatever the size. So a
//   freed area keeps its addresses, its frames and its mappings, and many are purged together:
//
//       unmap all → one flush → free the frames → free the addresses
//
//   Nobody gets a frame or an address while a processor may still use it for the old area. What waits is bounded: a free
//   that brings it to `lazyPageMaximum` pages purges, and so does an allocation that finds no room or no frame.
// - Areas are records of a `RegionTree`. Each freed one names the one freed before it, so a purge visits no others.

/// Allocates ranges of kernel addresses, between guards, and the memory behind them.
///
/// - `VirtualAreas.swift`: its state, and what can be read.
/// - `+Allocation`: memory, stacks, and frames of other owners.
/// - `+Purge`: freeing, and the purge of what was freed.
///
/// Its range belongs to it alone. All operations take the same page tables, or tables that share the kernel half with
/// them (`PageTable.prepareKernelHalf(_:)`). It takes no lock; its owner does. It allocates nothing but
/// frames.
public struct VirtualAreas<Mapper: PhysMapper>: ~Copyable {
  /// The addresses that may be allocated.
  public let range: AddrRange<VirtAddr>

  /// How many bytes at least stay unmapped on either side of every area.
  public let guardByteCount: UInt

  /// How many pages freed areas may have before a free purges them.
  public let lazyPageMaximum: Int

  /// How many pages the areas have that were freed and not purged yet.
  @inlinable
  public var lazyPageCount: Int { waitingPageCount }

  @usableFromInline let mapper: Mapper
  @usableFromInline var areas: RegionTree<VirtualArea, Mapper>
  @usableFromInline var waitingPageCount = 0
  @usableFromInline var waitingAreaCount = 0
  /// The area that was freed last; null when none waits.
  @usableFromInline var lastFreed = VirtAddr.null

  /// Areas over a range without any.
  ///
  /// Traps unless the range and the guards are multiples of 4 KiB, and the range starts above 0 and is longer than two
  /// guards.
  /// - Parameters:
  ///   - range: The addresses, which nobody else maps.
  ///   - mapper: How the program reaches the frames.
  ///   - guardByteCount: How many bytes stay unmapped on either side of every area.
  ///   - lazyPageMaximum: How many pages may wait for a purge; by default 32 MiB of them. 0 makes every free purge.
  ///   - frames: The allocator of one frame, for the records of areas.
  /// - Throws: ``VirtualAreaError/outOfFrames``.
  @inlinable
  public init(
    managing range: AddrRange<VirtAddr>, mapper: Mapper, guardByteCount: UInt = 4096, lazyPageMaximum: Int = 8192,
    _ frames: inout some FrameAllocator & ~Copyable
  ) throws(VirtualAreaError) {
    require(
      range.isAligned(to: 4096) && guardByteCount % 4096 == 0 && range.byteCount / 2 > guardByteCount
        && !range.start.isNull, "virtual areas need whole pages above address 0 and room for two guards, found",
      UInt64(range.start.raw))
    guard let areas = RegionTree<VirtualArea, Mapper>(mapper, &frames) else { throw .outOfFrames }
    self.range = range
    self.mapper = mapper
    self.guardByteCount = guardByteCount
    self.lazyPageMaximum = lazyPageMaximum
    self.areas = areas
  }

  /// How many areas there are, without those that were freed.
  @inlinable
  public var areaCount: Int { areas.count - waitingAreaCount }

  /// The area that contains an address and was not freed; nil for a guard: a fault there ran over the end of an area.
  /// - Complexity: O(log n) for n areas
  @inlinable
  public func area(containing address: VirtAddr) -> VirtualArea? {
    guard let area = areas.first(reaching: address), area.start <= address, !area.isFreed else { return nil }
    return area
  }

  /// Unmaps and frees all areas, and the frame that holds their records.
  /// - Complexity: O(pages)
  @inlinable
  public consuming func deallocate<Format: PageTableFormat>(
    in table: inout PageTable<Format, Mapper>, _ frames: inout some FrameAllocator & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) {
    var next = areas.first
    while let area = next {
      if !area.isFreed { markFreed(area) }
      next = areas.first(after: area)
    }
    purge(in: &table, &frames, &tlb)
    areas.deallocate(&frames)
  }
}
