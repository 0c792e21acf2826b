public import Addresses

/// Says where physical memory can be reached by the processor's instructions.
///
/// The contract: while a caller works on a frame through ``physToVirt(_:)``, nobody else touches that frame's
/// memory. A mapper only translates; it neither checks nor grants ownership. That comes from the
/// ``FrameAllocator`` that gave the frame out, and from whoever locks the tables that hold it.
public protocol PhysMapper {
  /// Where the byte at `address` can be reached; traps when the mapper does not cover it.
  func physToVirt(_ address: PhysAddr) -> VirtAddr

  /// Where a byte can be reached that the mapper is known to cover: the same, but a mapper may leave out the check.
  ///
  /// For addresses that ``physToVirt(_:)`` has taken before, such as those of page tables on a walk.
  func physToVirt(covered address: PhysAddr) -> VirtAddr

  /// The physical address behind `address`; traps when the mapper does not cover it.
  func virtToPhys(_ address: VirtAddr) -> PhysAddr
}

extension PhysMapper {
  /// ``physToVirt(_:)``, with its check.
  @inlinable public func physToVirt(covered address: PhysAddr) -> VirtAddr { physToVirt(address) }
}
