public import Addresses

// What the processors report about a page fault, in one form. Each reports its own: an error code and CR2 (Intel SDM
// volume 3A, 4.7), a syndrome and FAR_EL1 (Arm DDI 0487, D17.2.37, "ESR_EL1", and the ISS encodings of its instruction
// and data aborts), or a cause and stval (RISC-V privileged architecture, "Supervisor Cause Register").
//
// Nil stands for every exception that page tables cannot resolve: those of other kinds, malformed entries, external
// aborts, misaligned accesses.

/// A page fault as its handler needs it.
@frozen
public struct PageFault: Equatable, Sendable {
  /// The accessed address.
  public let address: VirtAddr
  /// The kind of access.
  public let access: MemoryAccess
  /// Whether user mode was running.
  public let fromUser: Bool

  /// A fault at an address.
  @inlinable public init(_ address: VirtAddr, _ access: MemoryAccess, fromUser: Bool) {
    self.address = address
    self.access = access
    self.fromUser = fromUser
  }

  /// The page fault that x86-64 reports as exception 14.
  ///
  /// Nil for what an entry that permits the access does not resolve: a reserved bit in one (bit 3), a protection key
  /// (bit 5), a shadow stack (bit 6), an enclave (bit 15).
  ///
  /// - Parameters:
  ///   - errorCode: The error code on the stack.
  ///   - cr2: The register CR2.
  /// - Complexity: O(1)
  @inlinable public init?(x86ErrorCode errorCode: UInt64, cr2: UInt64) {
    if errorCode & (1 << 3 | 1 << 5 | 1 << 6 | 1 << 15) != 0 { return nil }
    let access: MemoryAccess = errorCode & 1 << 4 != 0 ? .execute : errorCode & 1 << 1 != 0 ? .write : .read
    self.init(VirtAddr(UInt(truncatingIfNeeded: cr2)), access, fromUser: errorCode & 1 << 2 != 0)
  }

  /// The page fault that AArch64 reports as an instruction or data abort: a fault of translation, of the access flag, or
  /// of permission.
  ///
  /// Nil when the syndrome is of another kind or says that the address is not valid. Cache maintenance counts as a read,
  /// which is the permission that it needs.
  /// - Parameters:
  ///   - syndrome: The register ESR_EL1.
  ///   - far: The register FAR_EL1.
  /// - Complexity: O(1)
  @inlinable public init?(aarch64Syndrome syndrome: UInt64, far: UInt64) {
    let exceptionClass = syndrome >> 26 & 0x3F
    // 0x20 and 0x21 are instruction aborts, 0x24 and 0x25 data aborts: the even ones come from EL0.
    guard exceptionClass & ~0x05 == 0x20, syndrome & 1 << 10 == 0 else { return nil }
    // The status without its level: 1 translation, 2 access flag, 3 permission.
    guard (1...3).contains(syndrome >> 2 & 0xF) else { return nil }
    let isData = exceptionClass & 4 != 0
    let isWrite = syndrome & 1 << 6 != 0 && syndrome & 1 << 8 == 0
    let access: MemoryAccess = !isData ? .execute : isWrite ? .write : .read
    self.init(VirtAddr(UInt(truncatingIfNeeded: far)), access, fromUser: exceptionClass & 1 == 0)
  }

  /// The page fault that RISC-V reports as exception 12, 13 or 15; nil for other causes, interrupts among them.
  ///
  /// - Parameters:
  ///   - cause: The register scause.
  ///   - stval: The register stval.
  ///   - sstatus: The register sstatus, whose bit SPP tells which mode was running.
  /// - Complexity: O(1)
  @inlinable public init?(riscvCause cause: UInt64, stval: UInt64, sstatus: UInt64) {
    let access: MemoryAccess
    switch cause {
    case 12: access = .execute
    case 13: access = .read
    case 15: access = .write
    default: return nil
    }
    self.init(VirtAddr(UInt(truncatingIfNeeded: stval)), access, fromUser: sstatus & 1 << 8 == 0)
  }
}

extension AddressSpace {
  /// ``handleFault(_:_:fromUser:_:_:)`` for a fault as the processor reports it.
  @inlinable
  public mutating func handleFault(
    _ fault: PageFault, _ frames: inout some CountedFrames & ~Copyable, _ tlb: inout some TLBInvalidator & ~Copyable
  ) throws(FaultRefusal) -> FaultResolution {
    try handleFault(fault.address, fault.access, fromUser: fault.fromUser, &frames, &tlb)
  }
}
