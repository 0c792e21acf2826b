/// The number under which a processor keeps the translations of one address space: PCID on x86-64, ASID on AArch64 and
/// RISC-V. A switch to another tag need not flush.
@frozen
public struct AddressSpaceTag: Hashable, Sendable, BitwiseCopyable {
  /// The number: below 4,096 on x86-64, else below 256 or 65,536.
  public let number: UInt16

  /// The tag with this number, which the processor must support.
  @inlinable public init(_ number: UInt16) {
    self.number = number
  }

  /// Number 0: for the kernel's own tables, and for an address space that got no tag and flushes at each switch.
  @inlinable public static var untagged: AddressSpaceTag { AddressSpaceTag(0) }
}
