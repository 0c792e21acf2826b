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

/// A tagged TLB that caches nothing.
struct NoTaggedTLB: TaggedTLB {
  mutating func invalidate(_ start: VirtAddr, pageCount: UInt64, of tag: AddressSpaceTag) {}
  mutating func invalidateAll(of tag: AddressSpaceTag) {}
  mutating func invalidateGlobal(_ start: VirtAddr, pageCount: UInt64) {}
  mutating func invalidateEverything() {}
}

/// A processor with SME.
enum EncryptedX86: X86Format {
  static var levelCount: Int { 4 }
  static var physicalAddressBitCount: Int { 43 }
  static var memoryEncryption: X86MemoryEncryption { .encryptedBit(47) }
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
  try space.addRegion(device, .userData, as: .device, at: VirtAddr(0x300_0000), &frames)
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
  batch.add(try table.protect(range, .userReadOnly, &frames, &tlb))
  try table.join(range, &tlb)
  batch.flush(using: &tlb)
  var sum: UInt64 = 0
  table.forEachMapping(in: range) { page, translation in sum &+= translation.physical.raw }
  do throws(RangeError<UnmapError>) {
    try table.unmap(range, &frames, &tlb) { sum &+= $0.physical.raw }.flush(using: &tlb)
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
  let page = Page(containing: address, size: Format.granule)
  let frame = Page(start: PhysAddr.null, size: Format.granule)
  var tlb = NoTLB()
  try table.map(page, to: frame, PageAttributes(.userData, .device, isGlobal: true), &frames, &tlb).ignore()
  let large = Page(containing: address, size: Format.pageSize(level: 1))
  try table.split(large, &frames, &tlb)
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

/// Tables alone: an address space has a granule of 4 KiB.
func useTables<Format: PageTableFormat>(_ format: Format.Type, _ address: VirtAddr) -> Bool {
  var frames = EndlessFrames()
  let mapper = OffsetPhysMapper(AddrRange(start: .null, byteCount: 1 << 30), at: VirtAddr(0x1000))
  do throws(MapError) {
    return try usePages(Format.self, address, mapper, &frames)
  } catch {
    return false
  }
}

/// Tags, and flushes by them.
func useTags(_ address: VirtAddr) -> Bool {
  var tags = AddressSpaceTags<64>(count: 4_096)
  var tlb = NoTaggedTLB()
  guard let tag = tags.allocate(&tlb) else { return false }
  var flush = TaggedInvalidator(NoTaggedTLB(), tag: tag)
  flush.invalidate(address, pageCount: 1)
  flush.invalidateAll()
  tags.deallocate(tag)
  return X86FourLevel.rootRegister(.null, tag) != 0
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

/// The addresses of the tables behind a recursive entry.
func useWindow<Format: PageTableFormat>(_ format: Format.Type, _ address: VirtAddr) -> Bool {
  let window = RecursiveWindow<Format>(index: 510)
  return window.table(of: address, level: 0).start <= window.entry(of: address, level: 0)
}

/// Single pages through that window.
func useRecursiveTables<Format: X86Format>(_ format: Format.Type, _ address: VirtAddr) -> Bool {
  var frames = EndlessFrames()
  var tables = RecursiveTables(RecursiveWindow<Format>(index: 510), scratch: address, tlb: NoTLB())
  let page = Page(start: address)
  do throws(MapError) {
    try tables.map(page, to: Page(start: PhysAddr(0x1000)), .kernelData, &frames).ignore()
    try tables.updatePermissions(page, .kernelReadOnly).ignore()
  } catch {
    return false
  }
  if let unmapped = try? tables.unmap(page) { frames.deallocate(unmapped.ignore()) }
  return (try? tables.translate(address)) == nil
}

/// Uses all of it; it is compiled, not run.
@c(lab_use_page_tables)
public func usePageTables(_ address: UInt) -> CInt {
  let address = VirtAddr(address)
  let all =
    use(X86FourLevel.self, address) && use(X86FiveLevel.self, address) && use(AArch64Lower.self, address)
    && use(AArch64Upper.self, address) && use(Sv39.self, address) && use(Sv48.self, address)
    && use(Sv57.self, address) && use(EncryptedX86.self, address) && useTables(AArch64Lower16KiB.self, address)
    && useTables(AArch64Upper64KiB.self, address) && useTags(address)
    && useWindow(X86FourLevel.self, address) && useWindow(AArch64Upper.self, address)
    && useRecursiveTables(X86FourLevel.self, address) && useRecursiveTables(X86FiveLevel.self, address)
  return all ? 1 : 0
}
