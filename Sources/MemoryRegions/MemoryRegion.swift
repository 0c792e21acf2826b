public import Addresses
internal import Assertions

// Regions of a process's address space.
//
// Each part of a region is in one of four states: reserved (addresses only, no access), committed (it can be read and
// written, but has no memory yet), resident (it has memory) and pinned (the memory stays). The operations:
//
//   reserve  ──commit──▶  committed  ──prefault, or the first write──▶  resident  ──pin──▶  pinned
//   reserve  ◀─decommit(.toReserved)─  committed  ◀────decommit(.atOnce)────  resident  ◀─unpin─  pinned
//
// The files beside this one hold the operations, one aspect each. An operation works on a part of the region, given as
// a range, or on all of it. A range that leaves the region or cuts a page is a broken contract. Operations allocate
// nothing, and most are one system call. Each throws an error type of its own. A region takes no lock: operations on
// disjoint parts may run at once.

/// An owned part of the process's address space. It goes back to the system when its owner ends.
@frozen
public struct MemoryRegion: ~Copyable {
  /// The region's addresses.
  public let range: AddrRange<VirtAddr>

  /// The pages behind the region, and why they are not the ones asked for, if they are not.
  public let backing: PageBacking

  init(owning range: AddrRange<VirtAddr>, backing: PageBacking) {
    self.range = range
    self.backing = backing
  }

  /// Takes over address space that somebody else mapped.
  ///
  /// - Safety: The whole range must be mapped, on pages of the given size. From now on it belongs to the region alone.
  @unsafe public init(adopting range: AddrRange<VirtAddr>, pages: PageSize = .size4KiB) {
    self.init(owning: range, backing: PageBacking(pages))
  }

  /// The first address.
  public var start: VirtAddr { range.start }

  /// The region's size, in bytes.
  public var byteCount: UInt { range.byteCount }

  /// Gives the region and its content back to the system. Throws if the system refuses; a region that ends by itself
  /// traps then.
  public consuming func release() throws(ReleaseError) {
    let range = range
    discard self
    do throws(SystemError) {
      try SystemPages.unmap(range.start.raw, byteCount: range.byteCount)
    } catch {
      throw .refused(error)
    }
  }

  /// Leaves the region mapped. Whoever takes the range owns it.
  public consuming func leak() -> AddrRange<VirtAddr> {
    let range = range
    discard self
    return range
  }

  deinit {
    do throws(SystemError) {
      try SystemPages.unmap(range.start.raw, byteCount: range.byteCount)
    } catch {
      fail("a region could not be released, at", UInt64(range.start.raw))
    }
  }

  /// `part`, or the whole region when `part` is nil.
  ///
  /// Traps unless the part is a run of whole pages of the region.
  package func checked(_ part: AddrRange<VirtAddr>?) -> AddrRange<VirtAddr> {
    guard let part else { return range }
    require(range.contains(part), "a part must lie in its region, found", UInt64(part.start.raw))
    require(!part.isEmpty, "a part of a region must not be empty, at", UInt64(part.start.raw))
    require(
      part.isAligned(to: UInt(backing.size.byteCount)), "a part of a region must be whole pages, found",
      UInt64(part.start.raw | part.end.raw))
    return part
  }
}
