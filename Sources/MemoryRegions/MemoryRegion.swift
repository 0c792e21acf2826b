public import Addresses
internal import CLabSystem
internal import Assertions

// Regions of a process's address space.
//
// A region goes through up to four states, part by part: reserved (addresses only, no access), committed (may be read
// and written, no memory yet), resident (memory behind it) and pinned (the memory stays). The operations:
//
//   reserve  ──commit──▶  committed  ──prefault, or the first write──▶  resident  ──pin──▶  pinned
//   reserve  ◀─decommit(.toReserved)─  committed  ◀────decommit(.atOnce)────  resident  ◀─unpin─  pinned
//
// The files beside this one hold the operations, one aspect each. Each works on a part of the region, given as a range,
// or on all of it; a range that is not the region's own, or cuts a page, is a broken contract. Each is one system
// call and allocates nothing. Each either does what it says or throws an error of its own and leaves nothing half
// done. A region takes no lock: operations on disjoint parts may run at once.

/// A part of the process's address space, owned: it goes back to the system when its owner ends.
@frozen
public struct MemoryRegion: ~Copyable {
  /// The region's addresses.
  public let range: AddrRange<VirtAddr>

  /// The pages behind the region, and why they are not those that were asked for, if so.
  public let backing: PageBacking

  init(owning range: AddrRange<VirtAddr>, backing: PageBacking) {
    self.range = range
    self.backing = backing
  }

  /// Takes over address space that somebody else mapped.
  ///
  /// - Safety: The range must be mapped whole on pages of the given size, and be nobody else's from now on.
  @unsafe public init(adopting range: AddrRange<VirtAddr>, pages: PageSize = .size4KiB) {
    self.init(owning: range, backing: PageBacking(pages))
  }

  /// The first address.
  public var start: VirtAddr { range.start }

  /// How many bytes the region has.
  public var byteCount: UInt { range.byteCount }

  /// Gives the region back to the system, with what it holds, and reports if that failed; so does its end, which traps
  /// then.
  public consuming func release() throws(ReleaseError) {
    let range = range
    discard self
    let code = unsafe lab_region_release(range.start.unsafePointer, range.byteCount)
    if code != 0 { throw .refused(SystemError(code)) }
  }

  /// Leaves the region mapped as long as the process lives, owned by whoever takes the range.
  public consuming func leak() -> AddrRange<VirtAddr> {
    let range = range
    discard self
    return range
  }

  deinit {
    // SAFETY: the owner ends, so nobody uses the memory any more.
    let code = unsafe lab_region_release(range.start.unsafePointer, range.byteCount)
    require(code == 0, "a region could not be released, at", UInt64(range.start.raw))
  }

  /// `part`, or the whole region when there is none, as the system takes it.
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
