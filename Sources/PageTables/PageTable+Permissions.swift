public import Addresses
public import MemoryProtocols

// Mapping normal memory of one address space: the permissions are all that must be said.

extension PageTableOps where Self: ~Copyable {
  /// Maps a page of normal memory to a frame.
  @inlinable @inline(__always)
  public mutating func map(
    _ page: Page<VirtAddr>, to frame: Page<PhysAddr>, _ permissions: MemPerm,
    _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(MapError) -> TLBFlush {
    try map(page, to: frame, PageAttributes(permissions), &allocator)
  }
}

extension PageTable {
  /// Maps a page of normal memory to a frame, and lets a large page replace empty tables; see
  /// ``map(_:to:_:_:_:)-(_,_,PageAttributes,_,_)``.
  @inlinable @inline(__always)
  public mutating func map(
    _ page: Page<VirtAddr>, to frame: Page<PhysAddr>, _ permissions: MemPerm,
    _ allocator: inout some FrameAllocator & ~Copyable, _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(MapError) -> TLBFlush {
    try map(page, to: frame, PageAttributes(permissions), &allocator, &tlb)
  }

  /// Maps a range of normal memory to the frames from `start` on, with the largest pages that fit.
  /// - Complexity: O(pages)
  @inlinable @inline(__always)
  public mutating func map(
    _ range: AddrRange<VirtAddr>, to start: PhysAddr, _ permissions: MemPerm, largest: PageSize = .size1GiB,
    _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(RangeError<MapError>) -> TLBFlush {
    try map(range, to: start, PageAttributes(permissions), largest: largest, &allocator)
  }

  /// Maps frames of normal memory at their own addresses.
  /// - Complexity: O(pages)
  @inlinable
  public mutating func mapIdentity(
    _ frames: AddrRange<PhysAddr>, _ permissions: MemPerm, largest: PageSize = .size1GiB,
    _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(RangeError<MapError>) -> TLBFlush {
    try mapIdentity(frames, PageAttributes(permissions), largest: largest, &allocator)
  }

  /// Maps frames of normal memory at their own addresses plus `offset`, like a kernel's direct map.
  ///
  /// Traps when the pages would not fit the address space.
  /// - Complexity: O(pages)
  @inlinable
  public mutating func map(
    _ frames: AddrRange<PhysAddr>, offset: UInt, _ permissions: MemPerm, largest: PageSize = .size1GiB,
    _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(RangeError<MapError>) -> TLBFlush {
    try map(frames, offset: offset, PageAttributes(permissions), largest: largest, &allocator)
  }
}
