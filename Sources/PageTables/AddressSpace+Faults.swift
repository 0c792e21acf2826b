public import Addresses
public import MemoryProtocols

// Page faults: they fill pages, copy shared ones and grow stacks.

extension AddressSpace {
  /// Resolves a page fault, after which the instruction is retried, or says why it cannot.
  ///
  /// - Parameters:
  ///   - address: The accessed address: CR2, FAR_EL1, stval.
  ///   - access: The kind of access.
  ///   - fromUser: Whether user mode was running; the kernel's accesses need no `user` permission.
  ///   - frames: The allocator of pages and tables.
  ///   - tlb: Flushed for every changed entry that may be cached.
  ///   - source: Gives the pages of memory objects.
  /// - Throws: Why the access is refused. Nothing has changed then, except that large pages may have been split to free
  ///   frames.
  /// - Complexity: O(log n) for n regions, plus zeroing or copying one page; amortized O(1) pages more where the policy
  ///   makes large pages.
  @inlinable
  public mutating func handleFault(
    _ address: VirtAddr, _ access: MemoryAccess, fromUser: Bool = true,
    _ frames: inout some CountedFrames & ~Copyable, _ tlb: inout some TLBInvalidator & ~Copyable,
    _ source: inout some PageSource & ~Copyable
  ) throws(FaultRefusal) -> FaultResolution {
    let region = try region(faulting: address)
    if region.purpose == .guardPages { throw .guardPage(address) }
    let needed = fromUser ? access.permission | .user : access.permission
    guard region.permissions.contains(needed) else { throw .notPermitted(address, region.permissions) }
    var grown = region
    grown.start = min(region.start, address.alignedDown(to: 4096))

    let bits = UInt64(address.raw) & Format.translatedMask
    let (table, level, leaf) = self.table.lowestEntry(bits, downTo: 0)
    let resolution: FaultResolution
    if Format.kind(of: leaf, level: level) != .leaf, region.object != .none {
      resolution = try fillFromObject(Page(containing: address), region, access, &frames, &tlb, &source)
    } else if Format.kind(of: leaf, level: level) != .leaf {
      resolution = .filled(try fill(address, grown, &frames, &tlb))
    } else if access == .write, !Format.permissions(of: leaf).contains(.write) {
      let page = Page(containing: address, size: Format.pageSize(level: level))
      resolution = try copyOnWrite(page, region, Format.frame(of: leaf, level: level), &frames, &tlb)
      if policy.mode == .dynamic, level == 0 { promoteIfDense(page, region, &frames, &tlb) }
    } else {
      table.change(leaf, at: slotIndex(bits, level: level)) { Format.marked($0, dirty: access == .write) }
      TLBFlush(Page(containing: address)).flush(using: &tlb)
      resolution = .marked
    }
    if grown.start != region.start { regions.replace(region, with: grown) }
    statistics.faultCount += 1
    return resolution
  }

  /// The region that contains an address, or the stack that may grow down to it.
  @inlinable
  func region(faulting address: VirtAddr) throws(FaultRefusal) -> VirtualRegion {
    guard let region = regions.first(reaching: address), region.growthLimit <= address else { throw .noRegion(address) }
    // The lowest page that a stack could grow into is its guard.
    if address < region.start, address.raw - region.growthLimit.raw < 4096 { throw .guardPage(address) }
    return region
  }

  /// Maps a page of zeros: a large one where the policy wants one and it fits.
  @inlinable
  mutating func fill(
    _ address: VirtAddr, _ region: VirtualRegion, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(FaultRefusal) -> PageSize {
    guard region.isPrivate else { throw .noRegion(address) }
    let block = Page(containing: address, size: .size2MiB)
    if policy.mode == .always, canBeLarge(block, region), mapZeros(block, region.permissions, &frames, &tlb) {
      statistics.largeFillCount += 1
      return .size2MiB
    }
    let page = Page(containing: address)
    while !mapZeros(page, region.permissions, &frames, &tlb) {
      guard reclaimFrames(&frames, &tlb) else { throw .outOfFrames(page) }
    }
    statistics.smallFillCount += 1
    if policy.mode == .dynamic { promoteIfDense(page, region, &frames, &tlb) }
    return .size4KiB
  }

  /// Maps a page to a new frame of zeros; false when a frame or a table is missing, or the page is already mapped. Empty
  /// tables in a large page's place are freed.
  @inlinable
  mutating func mapZeros(
    _ page: Page<VirtAddr>, _ permissions: MemPerm, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) -> Bool {
    guard let frame = frames.allocate(page.size) else { return false }
    table.mapper.physToVirt(frame.start).fillWithZeros(byteCount: page.size.byteCount)
    do throws(MapError) {
      // Nothing was mapped there, so no processor has anything to invalidate but the tables that the call flushes.
      let before = table.retiredTableCount
      try table.map(page, to: frame, permissions, &frames, &tlb).ignore()
      if table.retiredTableCount != before { table.deallocateRetiredTables(&frames) }
    } catch {
      frames.deallocate(frame)
      return false
    }
    return true
  }

  /// Resolves a write to a page that is not writable yet: copies the page, or makes it writable for its last holder.
  @inlinable
  mutating func copyOnWrite(
    _ page: Page<VirtAddr>, _ region: VirtualRegion, _ frame: Page<PhysAddr>,
    _ frames: inout some CountedFrames & ~Copyable, _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(FaultRefusal) -> FaultResolution {
    let bits = UInt64(page.start.raw) & Format.translatedMask
    let (table, level, leaf) = self.table.lowestEntry(bits, downTo: page.size.level)
    let index = slotIndex(bits, level: level)
    let permissions = region.permissions
    if !region.isPrivate || frames.referenceCount(of: frame) == 1 {
      table.change(leaf, at: index) { Format.marked(Format.leaf($0, with: permissions), dirty: true) }
      TLBFlush(page).flush(using: &tlb)
      statistics.madeWritableCount += 1
      return .madeWritable
    }
    var copy = frames.allocate(page.size)
    while copy == nil {
      guard reclaimFrames(&frames, &tlb) else { throw .outOfFrames(page) }
      copy = frames.allocate(page.size)
    }
    guard let copy else { throw .outOfFrames(page) }
    let mapper = self.table.mapper
    // No holder can write to the page, so the copy is complete. From the flush on, no processor reads the original
    // here; so none misses what another writes to the copy.
    mapper.physToVirt(copy.start).copyBytes(
      from: mapper.physToVirt(covered: frame.start), byteCount: page.size.byteCount)
    let broken = table.break(at: index)
    let moved = Format.leaf(broken.old, movedTo: copy.start, level: level)
    let vacant = broken.flush(TLBFlush(page), using: &tlb)
    vacant.make(Format.marked(Format.leaf(moved, with: permissions), dirty: true))
    _ = frames.release(frame)
    statistics.copyCount += 1
    return .copied
  }
}
