public import Addresses

/// Why an address space could not be changed. It is as it was.
public enum AddressSpaceError: Error, Equatable, Sendable {
  /// No free range is large enough, of as many bytes.
  case noRoom(UInt)
  /// A region stands there already.
  case overlaps(AddrRange<VirtAddr>)
  /// The range, or a frame, does not start and end at multiples of 4 KiB, or is empty.
  case misaligned(VirtAddr)
  /// The range lies outside of what the address space manages.
  case outside(AddrRange<VirtAddr>)
  /// The address space has 65,536 regions already.
  case tooManyRegions
  /// The allocator has no frame for a table, a page or the list of regions.
  case outOfFrames
  /// A frame that holds one of the page tables cannot be given to a program.
  case tableFrame(PhysAddr)
  /// The frames do not fit the entries of the tables.
  case unreachableFrames(PhysAddr)
  /// No region stands there.
  case noRegion(VirtAddr)
}

/// What an instruction was about to do when it faulted.
@frozen
public enum MemoryAccess: UInt8, Sendable {
  /// It read data.
  case read = 1
  /// It wrote data.
  case write = 2
  /// The processor fetched the instruction.
  case execute = 4

  /// The permission that it takes.
  @inlinable var permission: MemPerm { MemPerm(rawValue: rawValue) }
}

/// What was done about a fault, after which the instruction can be tried again.
@frozen
public enum FaultResolution: Equatable, Sendable {
  /// A page of zeros was mapped.
  case filled(PageSize)
  /// The page was shared: a copy was mapped, writable.
  case copied
  /// The page was shared once, and this is its last holder: it was made writable in place.
  case madeWritable
  /// The page was there: its marks were set, which some processors leave to software, or the fault was out of date.
  case marked
}

/// Why a fault cannot be resolved.
public enum FaultRefusal: Error, Equatable, Sendable {
  /// Nothing is there.
  case noRegion(VirtAddr)
  /// It is a guard page, or lies between a stack's limit and what is below.
  case guardPage(VirtAddr)
  /// The region there allows no such access: these are its permissions.
  case notPermitted(VirtAddr, MemPerm)
  /// The allocator has no frame left, and no large page could be given up.
  case outOfFrames(Page<VirtAddr>)
}
