public import Addresses
public import Assertions
public import MemoryProtocols

// Unmapping parts of the space and changing their permissions. A range that ends inside a large page splits it first:
// its frame into 512, then its entry into a table of 512. After that, nothing can fail.

extension AddressSpace {
  /// Removes all regions in a range, or their parts there, and frees their frames once no processor uses them.
  ///
  /// - Throws: ``AddressSpaceError/outOfFrames`` when a frame is missing for the table of a split large page or for a
  ///   longer list of regions; `misaligned`, `outside`, `tooManyRegions`.
  /// - Complexity: O(pages)
  @inlinable
  public mutating func unmap(
    _ range: AddrRange<VirtAddr>, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(AddressSpaceError) {
    try prepareChange(range, &frames, &tlb)
    if range.isEmpty { return }
    regions.split(at: range.start)
    regions.split(at: range.end)
    let first = regions.firstIndex(endingAfter: range.start)
    while first < regions.count, regions[first].start < range.end {
      let region = regions[first]
      regions.remove(at: first)
      unmapPages(of: region, &frames, &tlb)
    }
  }

  /// Unmaps the pages of a region that is no longer in the list, with one flush.
  @inlinable
  mutating func unmapPages(
    of region: VirtualRegion, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) {
    let isCounted = region.isPrivate
    table.withdraw(span(region.range), &frames, &tlb) { mapping, frames in
      if isCounted { _ = frames.release(mapping.frame) }
    }
  }

  /// Changes the permissions of all regions in a range. With no permissions, user mode has no access, while the pages
  /// keep their content.
  ///
  /// Pages shared since a fork, and pages that were not writable before, become writable on their first write.
  /// - Throws: ``AddressSpaceError/noRegion(_:)`` for the first address in the range without a region; and the errors
  ///   of ``unmap(_:_:_:)``.
  /// - Complexity: O(pages)
  @inlinable
  public mutating func protect(
    _ range: AddrRange<VirtAddr>, _ permissions: MemPerm, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(AddressSpaceError) {
    let mapped = permissions.rawValue & 7 == 0 ? MemPerm.read : permissions
    guard Format.supports(mapped) else { throw .unsupportedPermissions(permissions) }
    var at = range.start
    while at < range.end {
      guard let region = region(containing: at) else { throw .noRegion(at) }
      at = region.end
    }
    try prepareChange(range, &frames, &tlb)
    if range.isEmpty { return }
    regions.split(at: range.start)
    regions.split(at: range.end)
    var index = regions.firstIndex(endingAfter: range.start)
    while index < regions.count, regions[index].start < range.end {
      if regions[index].purpose != .guardPages { regions[index].permissions = permissions }
      index += 1
    }
    do throws(RangeError<MapError>) {
      let change = try table.change(range, PrivatePermissionChange<Format>(to: mapped), &frames, &tlb)
      change.flush(using: &tlb)
    } catch {
      fail("a range that was prepared must change, found", UInt64(error.page.start.raw))
    }
  }

  /// Prepares a range so that a change cannot fail: the list has room for two more regions, and no page crosses either
  /// end.
  @inlinable
  mutating func prepareChange(
    _ range: AddrRange<VirtAddr>, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(AddressSpaceError) {
    guard range.isAligned(to: 4096) else { throw .misaligned(range.start) }
    guard self.range.contains(range) else { throw .outside(range) }
    try regions.makeRoom(for: 2, table.mapper, &frames)
    try demotePage(across: range.start, &frames, &tlb)
    try demotePage(across: range.end, &frames, &tlb)
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
