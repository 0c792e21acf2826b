import Addresses
import MemoryProtocols
import PageTables

// Generic code is compiled where it is used. This file uses page tables and address spaces of every family:
// scripts/check-bare-metal thereby compiles all of that code for processors without an operating system, where nothing
// may allocate.

/// An allocator that hands out one frame after another and never frees: enough to compile.
struct EndlessFrames: ~Copyable, FrameAllocator, FrameReferenceCounts, FrameSplitting {
  private var next: UInt64 = 0x100_0000

  mutating func allocate(_ size: PageSize) -> Page<PhysAddr>? {
    next += 2 * size.byteCount
    return Page(containing: PhysAddr(next), size: size)
  }

  mutating func deallocate(_ frame: Page<PhysAddr>) {}
  func referenceCount(of frame: Page<PhysAddr>) -> UInt32 { 1 }
  mutating func retain(_ frame: Page<PhysAddr>) {}
  mutating func release(_ frame: Page<PhysAddr>) -> Bool { false }
  mutating func split(_ frame: Page<PhysAddr>, into size: PageSize) {}
  mutating func join(_ frame: Page<PhysAddr>, from size: PageSize) {}
}

/// A processor that caches nothing.
struct NoTLB: TLBInvalidator {
  mutating func invalidate(_ start: VirtAddr, pageCount: UInt64) {}
  mutating func invalidateAll() {}
}

/// Memory objects without pages.
struct EmptyObjects: PageSource {
  mutating func open(_ range: ObjectRange) {}
  mutating func close(_ range: ObjectRange) {}
  mutating func give(
    _ page: ObjectRange, for access: MemoryAccess, _ frames: inout some CountedFrames & ~Copyable
  ) throws(PageRefusal) -> Page<PhysAddr> { throw .noPage }
  mutating func take(
    _ page: ObjectRange, in frame: Page<PhysAddr>, wasWritten: Bool, _ frames: inout some CountedFrames & ~Copyable
  ) {}
}

/// Every operation on an address space that shows memory objects.
func useObjects<Format: PageTableFormat>(
  _ format: Format.Type, _ mapper: OffsetPhysMapper, _ frames: inout EndlessFrames
) throws(AddressSpaceError) -> Bool {
  var tlb = NoTLB()
  var source = EmptyObjects()
  let managed = AddrRange(start: VirtAddr(0x1000), end: VirtAddr(0x400_0000))
  var space = try AddressSpace<Format, OffsetPhysMapper>(managing: managed, mapper: mapper, &frames)
  let pages = ObjectRange(MemoryObject(rawValue: 1), offset: 0, byteCount: 0x1000)
  try space.addRegion(showing: pages, .userData, at: managed.start, isShared: true, &frames, &source)
  do throws(FaultRefusal) {
    _ = try space.handleFault(managed.start, .write, &frames, &tlb, &source)
  } catch {
    return false
  }
  try space.discard(managed, &frames, &tlb, &source)
  let child = try space.fork(&frames, &tlb, &source)
  try space.unmap(managed, &frames, &tlb, &source)
  child.deallocate(&frames, &source)
  space.deallocate(&frames, &source)
  return true
}

/// Every operation on an address space.
func useSpace<Format: PageTableFormat>(
  _ format: Format.Type, _ mapper: OffsetPhysMapper, _ frames: inout EndlessFrames
) throws(AddressSpaceError) -> Bool {
  var tlb = NoTLB()
  let managed = AddrRange(start: VirtAddr(0x1000), end: VirtAddr(0x400_0000))
  var space = try AddressSpace<Format, OffsetPhysMapper>(managing: managed, mapper: mapper, &frames)
  let range = try space.addRegion(byteCount: 0x10_0000, .userData, guardByteCount: 4096, &frames)
  try space.addStack(AddrRange(start: VirtAddr(0x200_0000), byteCount: 0x10_0000), .userData, &frames)
  let device = AddrRange(start: PhysAddr(0x1000), byteCount: 0x1000)
  try space.addRegion(device, .userData, at: VirtAddr(0x300_0000), &frames)
  do throws(FaultRefusal) {
    _ = try space.handleFault(range.start, .write, &frames, &tlb)
  } catch {
    return false
  }
  try space.protect(range, .userReadOnly, &frames, &tlb)
  let child = try space.fork(&frames, &tlb)
  try space.unmap(range, &frames, &tlb)
  child.deallocate(&frames)
  space.deallocate(&frames)
  return true
}

/// Every operation on a range of page tables.
func useRanges<Format: PageTableFormat>(
  _ table: inout PageTable<Format, OffsetPhysMapper>, _ range: AddrRange<VirtAddr>, _ frames: inout EndlessFrames
) throws(RangeError<MapError>) -> UInt64 {
  var tlb = NoTLB()
  var batch = FlushBatch()
  batch.add(try table.map(range, to: .null, .userData, &frames))
  batch.add(try table.protect(range, .userReadOnly, &frames))
  batch.add(try table.join(range))
  batch.flush(using: &tlb)
  var sum: UInt64 = 0
  table.forEachMapping(in: range) { page, translation in sum &+= translation.physical.raw }
  do throws(RangeError<UnmapError>) {
    try table.unmap(range, &frames) { sum &+= $0.start.raw }.flush(using: &tlb)
  } catch {
    return 0
  }
  try table.cleanUp(range).flush(using: &tlb)
  table.deallocateRetiredTables(&frames)
  return sum
}

/// Every operation on a page.
func usePages<Format: PageTableFormat>(
  _ format: Format.Type, _ address: VirtAddr, _ mapper: OffsetPhysMapper, _ frames: inout EndlessFrames
) throws(MapError) -> Bool {
  var table = try PageTable<Format, OffsetPhysMapper>(mapper: mapper, &frames)
  let page = Page(containing: address)
  try table.map(page, to: Page(start: .null), .userData, &frames).ignore()
  try table.updatePermissions(page, .userCode).ignore()
  try table.prepareKernelHalf(&frames)
  do throws(TranslationError) {
    _ = try table.translate(address)
    _ = try table.clearAccessed(page).ignore()
    _ = try table.clearDirty(page).ignore()
  } catch {
    return false
  }
  do throws(UnmapError) {
    _ = try table.unmap(page).ignore()
  } catch {
    return false
  }
  do throws(RangeError<MapError>) {
    _ = try useRanges(&table, AddrRange(start: page.start, byteCount: 0x10_0000), &frames)
  } catch {
    return false
  }
  table.deallocateWithKernelHalf(&frames)
  return true
}

func use<Format: PageTableFormat>(_ format: Format.Type, _ address: VirtAddr) -> Bool {
  var frames = EndlessFrames()
  let mapper = OffsetPhysMapper(AddrRange(start: .null, byteCount: 1 << 30), at: VirtAddr(0x1000))
  do throws(AddressSpaceError) {
    guard try useSpace(Format.self, mapper, &frames), try useObjects(Format.self, mapper, &frames) else { return false }
  } catch {
    return false
  }
  do throws(MapError) {
    return try usePages(Format.self, address, mapper, &frames)
  } catch {
    return false
  }
}

/// Uses all of it; it is compiled, not run.
@c(lab_use_page_tables)
public func usePageTables(_ address: UInt) -> CInt {
  let address = VirtAddr(address)
  let all =
    use(X86FourLevel.self, address) && use(X86FiveLevel.self, address) && use(AArch64Lower.self, address)
    && use(AArch64Upper.self, address) && use(Sv39.self, address) && use(Sv48.self, address)
  return all ? 1 : 0
}
