public import Addresses
public import Assertions

// The operations that may meet a page of a memory object, for spaces that show none: without a source. They trap when
// they meet one.

/// The source of a space that shows no memory object.
@frozen
public struct NoObjects: PageSource, Sendable {
  /// A source that has nothing to keep.
  @inlinable public init() {}

  @inlinable public mutating func open(_ range: ObjectRange) { refuse(range) }

  @inlinable public mutating func close(_ range: ObjectRange) { refuse(range) }

  @inlinable public mutating func give(
    _ page: ObjectRange, for access: MemoryAccess, _ frames: inout some CountedFrames & ~Copyable
  ) throws(PageRefusal) -> Page<PhysAddr> { refuse(page) }

  @inlinable public mutating func take(
    _ page: ObjectRange, in frame: Page<PhysAddr>, wasWritten: Bool, _ frames: inout some CountedFrames & ~Copyable
  ) { refuse(page) }

  @inlinable
  func refuse(_ range: ObjectRange) -> Never {
    fail(
      "an address space that shows a memory object must be given its source, object",
      UInt64(truncatingIfNeeded: range.object.rawValue))
  }
}

extension AddressSpace {
  /// ``handleFault(_:_:fromUser:_:_:_:)`` without a source.
  @inlinable
  public mutating func handleFault(
    _ address: VirtAddr, _ access: MemoryAccess, fromUser: Bool = true,
    _ frames: inout some CountedFrames & ~Copyable, _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(FaultRefusal) -> FaultResolution {
    var source = NoObjects()
    return try handleFault(address, access, fromUser: fromUser, &frames, &tlb, &source)
  }

  /// ``unmap(_:_:_:_:)`` without a source.
  @inlinable
  public mutating func unmap(
    _ range: AddrRange<VirtAddr>, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(AddressSpaceError) {
    var source = NoObjects()
    try unmap(range, &frames, &tlb, &source)
  }

  /// ``discard(_:_:_:_:)`` without a source.
  @inlinable
  public mutating func discard(
    _ range: AddrRange<VirtAddr>, _ frames: inout some CountedFrames & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(AddressSpaceError) {
    var source = NoObjects()
    try discard(range, &frames, &tlb, &source)
  }

  /// ``fork(_:_:_:)`` without a source.
  @inlinable
  public mutating func fork(
    _ frames: inout some CountedFrames & ~Copyable, _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(AddressSpaceError) -> AddressSpace {
    var source = NoObjects()
    return try fork(&frames, &tlb, &source)
  }

  /// ``deallocate(_:_:)`` without a source.
  @inlinable
  public consuming func deallocate(_ frames: inout some CountedFrames & ~Copyable) {
    var source = NoObjects()
    deallocate(&frames, &source)
  }
}
