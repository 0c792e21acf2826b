public import Addresses
public import Assertions
public import MemoryProtocols

/// Maps physical memory at a constant offset: a region that simulates memory, or a kernel's direct map.
@frozen
public struct OffsetPhysMapper: PhysMapper, Sendable {
  /// The physical addresses that the mapper covers.
  public let frames: AddrRange<PhysAddr>

  /// The offset added to a physical address, modulo the size of the address space.
  @usableFromInline let offset: UInt

  /// A mapper that reaches the first byte of `frames` at `memory`; traps when the mapped memory would not fit the
  /// address space.
  @inlinable public init(_ frames: AddrRange<PhysAddr>, at memory: VirtAddr) {
    require(
      frames.byteCount <= UInt64(UInt.max - memory.raw), "mapped memory must fit the address space",
      UInt64(memory.raw))
    self.frames = frames
    self.offset = memory.raw &- UInt(truncatingIfNeeded: frames.start.raw)
  }

  /// A mapper that reaches `memory` as the physical addresses from `start` on.
  @inlinable public init(over memory: AddrRange<VirtAddr>, from start: PhysAddr = .null) {
    self.init(AddrRange(start: start, byteCount: UInt64(memory.byteCount)), at: memory.start)
  }

  @inlinable public func physToVirt(_ address: PhysAddr) -> VirtAddr {
    require(frames.contains(address), "a physical address must lie in the mapped region", address.raw)
    return physToVirt(covered: address)
  }

  /// Adds the offset. The sum wraps where the region lies below its physical addresses.
  @inlinable public func physToVirt(covered address: PhysAddr) -> VirtAddr {
    VirtAddr(UInt(truncatingIfNeeded: address.raw) &+ offset)
  }

  @inlinable public func virtToPhys(_ address: VirtAddr) -> PhysAddr {
    let distance = address.raw &- physToVirt(covered: frames.start).raw
    require(
      UInt64(distance) < frames.byteCount, "an address must lie in the mapped region", UInt64(address.raw))
    return PhysAddr(frames.start.raw + UInt64(distance))
  }
}
