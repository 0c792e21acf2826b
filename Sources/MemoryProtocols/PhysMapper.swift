public import Addresses

/// Translates physical addresses to the virtual addresses at which the processor can reach them.
///
/// The contract: while a caller works on a frame through ``physToVirt(_:)``, nobody else touches that frame's
/// memory. A mapper only translates; it neither checks nor grants ownership. That comes from the
/// ``FrameAllocator`` that gave the frame out, and from whoever locks the tables that hold it.
public protocol PhysMapper {
  /// The virtual address of the byte at `address`; traps when the mapper does not cover it.
  func physToVirt(_ address: PhysAddr) -> VirtAddr

  /// The virtual address of a byte that the mapper is known to cover. A mapper may leave out the check.
  ///
  /// For addresses that ``physToVirt(_:)`` accepted before, such as those of page tables on a walk.
  func physToVirt(covered address: PhysAddr) -> VirtAddr

  /// The physical address of the byte at `address`; traps when the mapper does not cover it.
  func virtToPhys(_ address: VirtAddr) -> PhysAddr
}

extension PhysMapper {
  /// ``physToVirt(_:)``, with its check.
  @inlinable public func physToVirt(covered address: PhysAddr) -> VirtAddr { physToVirt(address) }
}
