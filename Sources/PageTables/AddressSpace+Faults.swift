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
      let page = Page(containing: address, size: PageSize(level: level))
      resolution = try copyOnWrite(page, region, Format.frame(of: leaf, level: level), &frames, &tlb)
      if policy.mode == .dynamic, level == 0 { promoteIfDense(page, region, &frames, &tlb) }
    } else {
      let marked = access == .write ? Format.leaf(leaf, markedDirty: true) : leaf
      table.store(PageTableEntry(marked.bits | Format.accessedBits), at: slotIndex(bits, level: level))
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
    if policy.mode == .always, canBeLarge(block, region), mapZeros(block, region.permissions, &frames) {
      statistics.largeFillCount += 1
      return .size2MiB
    }
    let page = Page(containing: address)
    while !mapZeros(page, region.permissions, &frames) {
      guard reclaimFrames(&frames, &tlb) else { throw .outOfFrames(page) }
    }
    statistics.smallFillCount += 1
    if policy.mode == .dynamic { promoteIfDense(page, region, &frames, &tlb) }
    return .size4KiB
  }

  /// Maps a page to a new frame of zeros; false when a frame or a table is missing, or the page is already mapped.
  @inlinable
  mutating func mapZeros(
    _ page: Page<VirtAddr>, _ permissions: MemPerm, _ frames: inout some CountedFrames & ~Copyable
  ) -> Bool {
    guard let frame = frames.allocate(page.size) else { return false }
    table.mapper.physToVirt(frame.start).fillWithZeros(byteCount: page.size.byteCount)
    do throws(MapError) {
      // Nothing was mapped there, so no processor has anything to invalidate.
      try table.map(page, to: frame, permissions, &frames).ignore()
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
    if !region.isPrivate || frames.referenceCount(of: frame) == 1 {
      replaceLeaf(of: page, frame, region.permissions, &tlb)
      statistics.madeWritableCount += 1
      return .madeWritable
    }
    var copy = frames.allocate(page.size)
    while copy == nil {
      guard reclaimFrames(&frames, &tlb) else { throw .outOfFrames(page) }
      copy = frames.allocate(page.size)
    }
    guard let copy else { throw .outOfFrames(page) }
    let mapper = table.mapper
    mapper.physToVirt(copy.start).copyBytes(
      from: mapper.physToVirt(covered: frame.start), byteCount: page.size.byteCount)
    replaceLeaf(of: page, copy, region.permissions, &tlb)
    _ = frames.release(frame)
    statistics.copyCount += 1
    return .copied
  }

  /// Maps an already mapped page to a frame, marked accessed and dirty.
  @inlinable
  mutating func replaceLeaf(
    of page: Page<VirtAddr>, _ frame: Page<PhysAddr>, _ permissions: MemPerm,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) {
    let bits = UInt64(page.start.raw) & Format.translatedMask
    let (table, level, _) = self.table.lowestEntry(bits, downTo: page.size.level)
    let leaf = Format.leaf(Format.leafEntry(frame.start, permissions, level: level), markedDirty: true)
    table.store(PageTableEntry(leaf.bits | Format.accessedBits), at: slotIndex(bits, level: level))
    TLBFlush(page).flush(using: &tlb)
  }
}
