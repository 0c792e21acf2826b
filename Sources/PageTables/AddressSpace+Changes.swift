public import Addresses
public import Assertions
public import MemoryProtocols

// Unmapping parts of the space and changing their permissions. A range that ends inside a large page splits it first:
// its frame into 512, then its entry into a table of 512. After that, nothing can fail.

extension AddressSpace {
  /// Removes all regions in a range, or their parts there, and frees their frames once no processor uses them.
  ///
  /// - Throws: ``AddressSpaceError/outOfFrames`` when a frame is missing for the table of a split large page or for the
  ///   second part of a split region; `misaligned`, `outside`. Whole regions without large pages need no frame.
  /// - Complexity: O(pages)
  @inlinable
  public mutating func unmap(
    _ range: AddrRange<VirtAddr>, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable, _ source: inout some PageSource & ~Copyable
  ) throws(AddressSpaceError) {
    try requirePages(range)
    if range.isEmpty { return }
    perform(try prepareChange(range, &frames, &tlb), atEndsOf: range)
    var next = regions.first(reaching: range.start)
    while let region = next, region.start <= range.last {
      next = region.last < range.last ? regions.first(after: region) : nil
      regions.remove(region)
      unmapPages(of: region, &frames, &tlb, &source)
      if let pages = region.objectRange { source.close(pages) }
    }
    regions.releaseSpares(&frames)
  }

  /// Gives back the pages of a range and keeps its regions: private pages read as zeros, or as their object, when they
  /// are touched again. Fixed frames stay mapped.
  ///
  /// - Throws: ``AddressSpaceError/outOfFrames`` when a frame is missing for the table of a split large page;
  ///   `misaligned`, `outside`.
  /// - Complexity: O(pages)
  @inlinable
  public mutating func discard(
    _ range: AddrRange<VirtAddr>, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable, _ source: inout some PageSource & ~Copyable
  ) throws(AddressSpaceError) {
    try requirePages(range)
    if range.isEmpty { return }
    try demotePages(acrossEndsOf: range, &frames, &tlb)
    var next = regions.first(reaching: range.start)
    while let region = next, let part = region.part(in: range) {
      if part.isCounted { unmapPages(of: part, &frames, &tlb, &source) }
      next = regions.first(after: region)
    }
  }

  /// Unmaps the pages of a region, or of a part of one: private pages and fixed frames with one flush.
  @inlinable
  mutating func unmapPages(
    of region: VirtualRegion, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable, _ source: inout some PageSource & ~Copyable
  ) {
    if region.isShared { takeBack(region, &frames, &tlb, &source) }
    let isCounted = region.isPrivate
    table.withdraw(span(region.range), &frames, &tlb) { mapping, frames in
      if isCounted { _ = frames.release(mapping.frame) }
    }
  }

  /// Changes the permissions of all regions in a range. With no permissions, user mode has no access, while the pages
  /// keep their content.
  ///
  /// Pages shared since a fork, and pages that were not writable before, become writable on their first write. Where
  /// the permissions are as wanted already, nothing changes. Regions that become alike merge.
  /// - Throws: ``AddressSpaceError/noRegion(_:)`` for the first address in the range without a region;
  ///   ``AddressSpaceError/unsupportedPermissions(_:)``; and the errors of ``unmap(_:_:_:_:)``.
  /// - Complexity: O(pages)
  @inlinable
  public mutating func protect(
    _ range: AddrRange<VirtAddr>, _ permissions: MemPerm, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(AddressSpaceError) {
    let mapped = permissions.rawValue & 7 == 0 ? MemPerm.read : permissions
    guard Format.supports(mapped) else { throw .unsupportedPermissions(permissions) }
    try requirePages(range)
    guard let range = try partToProtect(range, permissions) else { return }
    perform(try prepareChange(range, &frames, &tlb), atEndsOf: range)
    var next = regions.first(reaching: range.start)
    while let region = next, region.start <= range.last {
      if region.purpose != .guardPages {
        var changed = region
        changed.permissions = permissions
        regions.replace(region, with: changed)
      }
      next = region.last < range.last ? regions.first(after: region) : nil
    }
    mergeRegions(around: range)
    regions.releaseSpares(&frames)
    do throws(RangeError<MapError>) {
      let change = try table.change(range, PrivatePermissionChange<Format>(to: mapped), &frames, &tlb)
      change.flush(using: &tlb)
    } catch {
      fail("a range that was prepared must change, found", UInt64(error.page.start.raw))
    }
  }

  /// The smallest part of a range that has all its regions with other permissions; nil when there are none. Throws for
  /// the first address without a region.
  @inlinable
  func partToProtect(
    _ range: AddrRange<VirtAddr>, _ permissions: MemPerm
  ) throws(AddressSpaceError) -> AddrRange<VirtAddr>? {
    if range.isEmpty { return nil }
    var changed: AddrRange<VirtAddr>?
    var at = range.start
    while true {
      guard let part = region(containing: at)?.part(in: range) else { throw .noRegion(at) }
      if part.purpose != .guardPages, part.permissions != permissions {
        changed = AddrRange(start: changed?.start ?? part.start, through: part.last)
      }
      if part.last == range.last { return changed }
      at = part.last + 1
    }
  }

  /// Throws unless a range is one of whole pages that the space manages.
  @inlinable
  func requirePages(_ range: AddrRange<VirtAddr>) throws(AddressSpaceError) {
    guard range.isAligned(to: 4096) else { throw .misaligned(range.start) }
    guard self.range.contains(range) else { throw .outside(range) }
  }

  /// Prepares a range, which is not empty, for a change that cannot fail: no page crosses either end, and there are
  /// frames for the splits of regions, which are returned.
  @inlinable
  mutating func prepareChange(
    _ range: AddrRange<VirtAddr>, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(AddressSpaceError) -> RegionSplits {
    guard let splits = reserveSplits(atEndsOf: range, &frames) else { throw .outOfFrames }
    do throws(AddressSpaceError) {
      try demotePages(acrossEndsOf: range, &frames, &tlb)
    } catch {
      regions.releaseSpares(&frames)
      throw error
    }
    return splits
  }

  /// Splits the large pages, if any, that cross the ends of a range.
  @inlinable
  mutating func demotePages(
    acrossEndsOf range: AddrRange<VirtAddr>, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(AddressSpaceError) {
    try demotePage(across: range.start, &frames, &tlb)
    if range.last.raw != .max { try demotePage(across: range.last + 1, &frames, &tlb) }
  }
}

/// Changes the permissions of leaves, but adds write permission only to those that had it. A page that is not writable
/// may be shared; its first write resolves that.
@frozen
@usableFromInline
struct PrivatePermissionChange<Format: PageTableFormat>: LeafChange {
  @usableFromInline let bits: UInt64
  @usableFromInline let bitsWithoutWrite: UInt64

  @inlinable init(to permissions: MemPerm) {
    bits = Format.permissionBits(permissions)
    bitsWithoutWrite = Format.permissionBits(permissions.subtracting(.write))
  }

  @inlinable @inline(__always)
  func changed(_ leaf: PageTableEntry) -> PageTableEntry {
    let isWritable = Format.permissions(of: leaf).contains(.write)
    return Format.leaf(leaf, withPermissionBits: isWritable ? bits : bitsWithoutWrite)
  }

  @inlinable @inline(__always)
  func leavesAlone(_ leaf: PageTableEntry) -> Bool { false }
}
