public import Addresses

/// Why an address space could not be changed. It is unchanged.
public enum AddressSpaceError: Error, Equatable, Sendable {
  /// No free range has this many bytes.
  case noRoom(UInt)
  /// A region is already there.
  case overlaps(AddrRange<VirtAddr>)
  /// The range, or a frame, does not start and end at multiples of 4 KiB, or is empty.
  case misaligned(VirtAddr)
  /// The range lies outside the range that the address space manages.
  case outside(AddrRange<VirtAddr>)
  /// The allocator has no frame for a table, a page or another region.
  case outOfFrames
  /// The frame holds one of the page tables and cannot be given to a program.
  case tableFrame(PhysAddr)
  /// The processor cannot enforce these permissions; see ``MapError/unsupportedPermissions(_:)``.
  case unsupportedPermissions(MemPerm)
  /// The processor's entries cannot express this memory type; see ``MapError/unsupportedMemoryType(_:)``.
  case unsupportedMemoryType(MemoryType)
  /// The frames do not fit the entries of the tables.
  case unreachableFrames(PhysAddr)
  /// There is no region at the address.
  case noRegion(VirtAddr)
}

/// The access of the instruction that faulted.
@frozen
public enum MemoryAccess: UInt8, Sendable {
  /// A data read.
  case read = 1
  /// A data write.
  case write = 2
  /// An instruction fetch.
  case execute = 4

  /// The permission that the access needs.
  @inlinable var permission: MemPerm { MemPerm(rawValue: rawValue) }
}

/// How a fault was resolved; the instruction can be retried.
@frozen
public enum FaultResolution: Equatable, Sendable {
  /// A page of zeros was mapped.
  case filled(PageSize)
  /// A page of the region's memory object was mapped, or a copy of it.
  case given
  /// The page was shared: a writable copy was mapped.
  case copied
  /// The page had been shared, and this is its last holder: it was made writable in place.
  case madeWritable
  /// The page was mapped: its marks were set, which some processors leave to software, or the fault was stale.
  case marked
}

/// Why a fault cannot be resolved.
public enum FaultRefusal: Error, Equatable, Sendable {
  /// There is no region at the address.
  case noRegion(VirtAddr)
  /// The address lies in a guard page, or between a stack's growth limit and the region below.
  case guardPage(VirtAddr)
  /// The region does not allow the access: these are its permissions.
  case notPermitted(VirtAddr, MemPerm)
  /// The region's memory object has no page for the address: a file ends before it, or could not be read.
  case noPage(VirtAddr)
  /// The page is on its way: wait for the ``PageSource``, then retry.
  case notYet(VirtAddr)
  /// The allocator has no frame left, and no large page could be split to free one.
  case outOfFrames(Page<VirtAddr>)
}
