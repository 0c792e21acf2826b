public import Addresses
public import Assertions
public import MemoryProtocols
public import PageTables

extension VirtualAreas {
  /// Frees an area. It stays mapped until the next purge, and must not be used any more.
  ///
  /// Traps unless `range` is an area that was allocated and not freed.
  /// - Complexity: O(log n) for n areas; a purge when ``lazyPageMaximum`` pages wait for it
  @inlinable
  public mutating func deallocate<Format: PageTableFormat>(
    _ range: AddrRange<VirtAddr>, in table: inout PageTable<Format, Mapper>,
    _ frames: inout some FrameAllocator & ~Copyable, _ tlb: inout some TLBInvalidator & ~Copyable
  ) {
    guard let area = area(containing: range.start), area.range == range else {
      fail("an area must be freed once, as it was allocated, found", UInt64(range.start.raw))
    }
    markFreed(area)
    if waitingPageCount >= lazyPageMaximum { purge(in: &table, &frames, &tlb) }
  }

  /// Unmaps all freed areas, flushes the TLBs once, and frees their frames and addresses.
  /// - Complexity: O(pages + k log n) for k freed areas of n
  @inlinable
  public mutating func purge<Format: PageTableFormat>(
    in table: inout PageTable<Format, Mapper>, _ frames: inout some FrameAllocator & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) {
    var batch = FlushBatch()
    var chain = FrameChain()
    var next = freedArea(lastFreed)
    while let area = next {
      batch.add(unmap(area.range, area.content, in: &table, &chain, &frames, &tlb))
      next = freedArea(area.previousFreed)
    }
    batch.flush(using: &tlb)
    chain.deallocate(to: &frames, mapper)
    table.deallocateRetiredTables(&frames)
    next = freedArea(lastFreed)
    while let area = next {
      areas.remove(area, &frames)
      next = freedArea(area.previousFreed)
    }
    lastFreed = .null
    waitingAreaCount = 0
    waitingPageCount = 0
  }

  /// Enters an area among the freed ones.
  @inlinable
  mutating func markFreed(_ area: VirtualArea) {
    var freed = area
    freed.isFreed = true
    freed.previousFreed = lastFreed
    areas.replace(area, with: freed)
    lastFreed = area.start
    waitingAreaCount += 1
    waitingPageCount += area.pageCount
  }

  /// The freed area at an address, nil for null: the end of the list.
  @inlinable
  func freedArea(_ start: VirtAddr) -> VirtualArea? {
    if start.isNull { return nil }
    guard let area = areas.first(reaching: start), area.start == start, area.isFreed else {
      fail("a freed area must wait for its purge, found none at", UInt64(start.raw))
    }
    return area
  }

  /// Unmaps a range; its frames, if they are the area's own, wait in a chain for the flush.
  @inlinable
  func unmap<Format: PageTableFormat>(
    _ range: AddrRange<VirtAddr>, _ content: VirtualArea.Content, in table: inout PageTable<Format, Mapper>,
    _ chain: inout FrameChain, _ frames: inout some FrameAllocator & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) -> TLBFlush {
    do throws(RangeError<UnmapError>) {
      return try table.unmap(range, &frames, &tlb) { mapping in
        if content == .memory { chain.push(mapping.frame.start, mapper) }
      }
    } catch {
      fail("the pages of an area must be its own, found another's at", UInt64(error.page.start.raw))
    }
  }
}
