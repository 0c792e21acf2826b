import Addresses
import PageTables
import Testing

/// What the processors report, by hand from their manuals.
@Suite struct PageFaultTests {
  private let address = VirtAddr(0xFFFF_8000_1234_5678)

  @Test(
    arguments: [
      (0x0, .read, false), (0x1, .read, false), (0x2, .write, false), (0x7, .write, true), (0x4, .read, true),
      (0x15, .execute, true), (0x10, .execute, false), (0x14, .execute, true),
    ] as [(UInt64, MemoryAccess, Bool)]) func x86(errorCode: UInt64, access: MemoryAccess, fromUser: Bool)
  {
    let fault = PageFault(x86ErrorCode: errorCode, cr2: UInt64(address.raw))
    #expect(fault == PageFault(address, access, fromUser: fromUser))
  }

  /// A reserved bit, a protection key, a shadow stack, an enclave: a handler that found the page mapped would return to
  /// the same fault for ever.
  @Test(arguments: [0x9, 0xF, 0x25, 0x27, 0x45, 0x47, 0x8005] as [UInt64]) func x86Others(errorCode: UInt64) {
    #expect(PageFault(x86ErrorCode: errorCode, cr2: 0x1000) == nil)
  }

  /// The class is bits 31 to 26; for a data abort, bit 8 is CM and bit 6 WnR. The status is bits 5 to 0.
  @Test(
    arguments: [
      (0x8200_0007, .execute, true), (0x8600_000F, .execute, false), (0x9200_0004, .read, true),
      (0x9200_0047, .write, true), (0x9600_004F, .write, false), (0x9600_000B, .read, false),
      (0x9600_014F, .read, false), (0x9200_0005, .read, true), (0x9200_000D, .read, true),
    ] as [(UInt64, MemoryAccess, Bool)]) func aarch64(syndrome: UInt64, access: MemoryAccess, fromUser: Bool)
  {
    let fault = PageFault(aarch64Syndrome: syndrome, far: UInt64(address.raw))
    #expect(fault == PageFault(address, access, fromUser: fromUser))
  }

  /// SVC, alignment, an external abort, an address-size fault, an address that is not valid, a class with other bits.
  @Test(arguments: [0x5600_0000, 0x9600_0061, 0x9600_0010, 0x9600_0003, 0x9600_0407, 0xD200_0007] as [UInt64])
  func aarch64Others(syndrome: UInt64) {
    #expect(PageFault(aarch64Syndrome: syndrome, far: 0x1000) == nil)
  }

  @Test(
    arguments: [
      (12, 0x000, .execute, true), (13, 0x000, .read, true), (15, 0x000, .write, true), (12, 0x100, .execute, false),
      (13, 0x120, .read, false), (15, 0x100, .write, false), (15, 0x2_0000_0002, .write, true),
    ] as [(UInt64, UInt64, MemoryAccess, Bool)])
  func riscv(cause: UInt64, sstatus: UInt64, access: MemoryAccess, fromUser: Bool) {
    let fault = PageFault(riscvCause: cause, stval: UInt64(address.raw), sstatus: sstatus)
    #expect(fault == PageFault(address, access, fromUser: fromUser))
  }

  /// Illegal instruction, access faults, ECALL, and interrupts with the same low bits.
  @Test(arguments: [2, 1, 5, 7, 8, 14, 1 << 63 | 13, 1 << 63 | 5] as [UInt64]) func riscvOthers(cause: UInt64) {
    #expect(PageFault(riscvCause: cause, stval: 0x1000, sstatus: 0) == nil)
  }

  @Test func anAddressSpaceResolvesIt() throws {
    var frames = TestFrames()
    var process = try TestProcess<X86FourLevel>(&frames)
    let range = try process.space.addRegion(byteCount: 4096, .userReadOnly, &frames)
    let read = try #require(PageFault(x86ErrorCode: 0x4, cr2: UInt64(range.start.raw)))
    #expect(try process.space.handleFault(read, &frames, &process.tlb) == .filled(.size4KiB))
    let write = try #require(PageFault(x86ErrorCode: 0x7, cr2: UInt64(range.start.raw)))
    #expect(throws: FaultRefusal.notPermitted(range.start, .userReadOnly)) {
      try process.space.handleFault(write, &frames, &process.tlb)
    }
    let behind = try #require(PageFault(x86ErrorCode: 0x4, cr2: UInt64(range.end.raw)))
    #expect(throws: FaultRefusal.noRegion(range.end)) {
      try process.space.handleFault(behind, &frames, &process.tlb)
    }
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }
}
