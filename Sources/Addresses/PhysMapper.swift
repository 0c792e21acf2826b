/// Says where physical memory can be reached by the processor's instructions.
///
/// The contract: while a caller works on a frame through ``physToVirt(_:)``, nobody else touches that frame's
/// memory. A mapper only translates; it neither checks nor grants ownership. That comes from the
/// ``FrameAllocator`` that gave the frame out, and from whoever locks the tables that hold it.
public protocol PhysMapper {
  /// Where the byte at `address` can be reached; traps when the mapper does not cover it.
  func physToVirt(_ address: PhysAddr) -> VirtAddr

  /// The physical address behind `address`; traps when the mapper does not cover it.
  func virtToPhys(_ address: VirtAddr) -> PhysAddr
}
