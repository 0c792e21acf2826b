public import Addresses
public import Assertions
public import MemoryProtocols

// Regions that show a memory object: a file, or memory that several spaces share.
//
// A touched page comes from the object's source. It is mapped without write permission, or with it when a write touched
// a shared region. A write to a private region's page maps a copy. So a shared page is writable, or marked dirty, if
// and only if a write to it was resolved here; `takeBack` reports that. No processor can set the mark in between: only
// a writable page gets it, and a writable page counts as written.

extension AddressSpace {
  /// Adds a region that shows bytes of a memory object.
  ///
  /// - Parameters:
  ///   - pages: The object, and its first byte at the region's start.
  ///   - permissions: What the process may do there.
  ///   - purpose: What the region is for: data or code.
  ///   - start: The first address of the region.
  ///   - isShared: Whether writes change the object. Otherwise they change copies, which belong to this space.
  ///   - frames: The allocator of the region's record.
  ///   - source: The source of the object's pages; it is told to open them.
  /// - Throws: ``AddressSpaceError/overlaps(_:)``, `misaligned`, `outside`, `outOfFrames`.
  /// - Complexity: O(log n) for n regions
  @inlinable
  public mutating func addRegion(
    showing pages: ObjectRange, _ permissions: MemPerm, for purpose: VirtualRegion.Purpose = .data, at start: VirtAddr,
    isShared: Bool, _ frames: inout some CountedFrames & ~Copyable, _ source: inout some PageSource & ~Copyable
  ) throws(AddressSpaceError) {
    require(
      purpose != .fixedFrames && purpose != .guardPages && purpose != .stack && pages.object != .none,
      "a region that shows an object must be one of code, data or heap")
    guard pages.offset % 4096 == 0, pages.byteCount % 4096 == 0, pages.byteCount > 0 else { throw .misaligned(start) }
    guard pages.byteCount <= UInt64(UInt.max), pages.offset.addingReportingOverflow(pages.byteCount).overflow == false,
      let last = start.checkedAdd(UInt(truncatingIfNeeded: pages.byteCount - 1)),
      !(start.isNull && last.raw == .max)
    else { throw .outside(AddrRange(start: start, end: start)) }
    var region = VirtualRegion(AddrRange(start: start, through: last), permissions, purpose)
    region.object = pages.object
    region.objectOffset = pages.offset
    region.isShared = isShared
    try insert(region, &frames)
    source.open(pages)
  }

  /// Maps a page of the region's object.
  @inlinable
  mutating func fillFromObject(
    _ page: Page<VirtAddr>, _ region: VirtualRegion, _ access: MemoryAccess,
    _ frames: inout some CountedFrames & ~Copyable, _ tlb: inout some TLBInvalidator & ~Copyable,
    _ source: inout some PageSource & ~Copyable
  ) throws(FaultRefusal) -> FaultResolution {
    let pages = ObjectRange(region.object, offset: region.objectOffset(at: page.start))
    while true {
      do throws(PageRefusal) {
        let frame = try source.give(pages, for: region.isShared ? access : .read, &frames)
        require(frame.size == .size4KiB, "a source must give 4 KiB frames, found one at", frame.start.raw)
        if map(page, toGiven: frame, region, access, &frames) {
          statistics.objectFillCount += 1
          return .given
        }
      } catch {
        switch error {
        case .noPage: throw .noPage(page.start)
        case .notYet: throw .notYet(page.start)
        case .outOfFrames: break
        }
      }
      guard reclaimFrames(&frames, &tlb) else { throw .outOfFrames(page) }
    }
  }

  /// Maps a page to a frame that a source gave, or to a copy of it; false when a frame or a table is missing.
  @inlinable
  mutating func map(
    _ page: Page<VirtAddr>, toGiven given: Page<PhysAddr>, _ region: VirtualRegion, _ access: MemoryAccess,
    _ frames: inout some CountedFrames & ~Copyable
  ) -> Bool {
    var frame = given
    if access == .write, !region.isShared {
      guard let copy = frames.allocate(.size4KiB) else { return false }
      table.mapper.physToVirt(copy.start).copyBytes(from: table.mapper.physToVirt(given.start), byteCount: 4096)
      frame = copy
    } else {
      frames.retain(given)
    }
    let permissions = access == .write ? region.permissions : region.permissions.subtracting(.write)
    do throws(MapError) {
      // Nothing was mapped there, so no processor has anything to invalidate.
      try table.map(page, to: frame, permissions, &frames).ignore()
    } catch {
      _ = frames.release(frame)
      return false
    }
    if access == .write, region.isShared { markWritten(page) }
    return true
  }

  /// Sets the accessed and dirty marks of a page that was just mapped writable.
  @inlinable
  func markWritten(_ page: Page<VirtAddr>) {
    let bits = UInt64(page.start.raw) & Format.translatedMask
    let (table, _, leaf) = self.table.lowestEntry(bits, downTo: 0)
    table.change(leaf, at: slotIndex(bits, level: 0)) { Format.marked($0, dirty: true) }
  }

  /// Unmaps the pages of a shared region, or of a part of one, and gives them back to their source.
  @inlinable
  mutating func takeBack(
    _ region: VirtualRegion, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable, _ source: inout some PageSource & ~Copyable
  ) {
    var gather = SharedPageGather()
    var at = region.start
    while true {
      let bits = UInt64(at.raw) & Format.translatedMask
      let (below, level, leaf) = table.lowestEntry(bits, downTo: 0)
      if level == 0, Format.kind(of: leaf, level: 0) == .leaf {
        if gather.isFull { gather.giveBack(region, &frames, &tlb, &source) }
        let old = below.take(at: slotIndex(bits, level: 0))
        let wasWritten = Format.isDirty(old) || Format.permissions(of: old).contains(.write)
        gather.add(at, Format.frame(of: old, level: 0), wasWritten: wasWritten)
      }
      // The last address that the entry covers: where it refers to no table, nothing is mapped up to there.
      let slotLast = at.raw | UInt(truncatingIfNeeded: slotByteCount(level) - 1)
      if slotLast >= region.last.raw { break }
      at = VirtAddr(slotLast + 1)
    }
    gather.giveBack(region, &frames, &tlb, &source)
  }
}

extension VirtualRegion {
  /// The bytes of the object that the region shows; nil without an object.
  @inlinable
  public var objectRange: ObjectRange? {
    object == .none ? nil : ObjectRange(object, offset: objectOffset, byteCount: UInt64(range.byteCount))
  }
}

/// Unmapped pages of a shared region that wait until the processors' TLBs are flushed.
@frozen
@usableFromInline
struct SharedPageGather: ~Copyable {
  @usableFromInline var addresses = InlineArray<64, VirtAddr>(repeating: .null)
  @usableFromInline var frames = InlineArray<64, Page<PhysAddr>>(repeating: Page(start: .null))
  /// A bit for each page that was written.
  @usableFromInline var written: UInt64 = 0
  @usableFromInline var count = 0

  @inlinable init() {}

  /// Whether no other page fits.
  @inlinable
  var isFull: Bool { count == 64 }

  /// Adds a page; there must be room, and its address must be higher than the last.
  @inlinable
  mutating func add(_ address: VirtAddr, _ frame: Page<PhysAddr>, wasWritten: Bool) {
    addresses[count] = address
    frames[count] = frame
    if wasWritten { written |= 1 << UInt64(truncatingIfNeeded: count) }
    count += 1
  }

  /// Flushes the TLBs, and gives the pages of a region back to their source.
  @inlinable
  mutating func giveBack(
    _ region: VirtualRegion, _ allocator: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable, _ source: inout some PageSource & ~Copyable
  ) {
    if count == 0 { return }
    let pageCount = UInt64(addresses[count - 1].raw - addresses[0].raw) / 4096 + 1
    TLBFlush(addresses[0], pageCount: pageCount).flush(using: &tlb)
    for index in 0..<count {
      let page = ObjectRange(region.object, offset: region.objectOffset(at: addresses[index]))
      let wasWritten = written >> UInt64(truncatingIfNeeded: index) & 1 == 1
      source.take(page, in: frames[index], wasWritten: wasWritten, &allocator)
      _ = allocator.release(frames[index])
    }
    count = 0
    written = 0
  }
}
