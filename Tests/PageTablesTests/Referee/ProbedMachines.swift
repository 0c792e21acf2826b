import Addresses
import CLabKVM
import PageTables

// The processors that QEMU emulates, and their error reports.

/// RISC-V: the cause is 12, 13 or 15 for a fetch, a load or a store, whatever the reason (privileged architecture,
/// table 3.6).
protocol RISCVMachine: ProbedMachine {}

extension RISCVMachine {
  static var memoryStart: UInt64 { 0x8000_0000 }
  /// False for the program's own 64 KiB. In QEMU 7.2, a fetch leaves an untranslated entry in the translation cache,
  /// and a load under MPRV from the same page finds it.
  static func canJudge(_ address: UInt64) -> Bool { address &- memoryStart >= 64 << 10 }

  /// `lui a0, tag` and `ecall`.
  static func word(tag: UInt16) -> UInt64 { 0x73 << 32 | UInt64(tag) << 12 | 10 << 7 | 0x37 }

  static func fault(_ probe: Probe, _ permissions: MemPerm?) -> String {
    let cause = probe.access == .fetch ? "c" : probe.access == .read ? "d" : "f"
    return "fault \(cause) \(String(probe.address, radix: 16))"
  }
}

enum Sv39Machine: RISCVMachine {
  typealias Format = Sv39
  static var name: String { "sv39" }
  static var mode: UInt64 { 8 }
}

enum Sv48Machine: RISCVMachine {
  typealias Format = Sv48
  static var name: String { "sv48" }
  static var mode: UInt64 { 9 }
}

enum Sv57Machine: RISCVMachine {
  typealias Format = Sv57
  static var name: String { "sv57" }
  static var mode: UInt64 { 10 }
}

/// With Svpbmt.
enum Sv48MemoryTypesMachine: RISCVMachine {
  typealias Format = Sv48MemoryTypes
  static var name: String { "sv48-svpbmt" }
  static var mode: UInt64 { 9 }
}

/// With Svpbmt.
enum Sv57MemoryTypesMachine: RISCVMachine {
  typealias Format = Sv57MemoryTypes
  static var name: String { "sv57-svpbmt" }
  static var mode: UInt64 { 10 }
}

/// AArch64: the status code is 4 for a missing translation and 12 for a missing permission, plus the level in its
/// lowest two bits; a write adds bit 6 (Arm ARM, ESR_EL1).
protocol AArch64Machine: ProbedMachine {}

extension AArch64Machine {
  static var memoryStart: UInt64 { 0x4000_0000 }
  static var asksForTranslation: Bool { true }

  /// `svc #tag`, twice.
  static func word(tag: UInt16) -> UInt64 { (0xD400_0001 | UInt64(tag) << 5) * 0x1_0000_0001 }

  static func fault(_ probe: Probe, _ permissions: MemPerm?) -> String {
    let code = (permissions == nil ? 0x4 : 0xC) | (probe.access == .write ? 0x40 : 0)
    return "fault \(String(code, radix: 16)) \(String(probe.address, radix: 16))"
  }
}

// The mode: bit 0 chooses TTBR1_EL1, the bits above are TG0 (0: 4 KiB, 1: 64 KiB, 2: 16 KiB) or TG1 (1: 16 KiB, 2: 4 KiB,
// 3: 64 KiB).

enum AArch64LowerMachine: AArch64Machine {
  typealias Format = AArch64Lower
  static var name: String { "aarch64-lower" }
  static var mode: UInt64 { 0 }
}

enum AArch64UpperMachine: AArch64Machine {
  typealias Format = AArch64Upper
  static var name: String { "aarch64-upper" }
  static var mode: UInt64 { 2 << 1 | 1 }
}

enum AArch64Lower16KiBMachine: AArch64Machine {
  typealias Format = AArch64Lower16KiB
  static var name: String { "aarch64-lower-16KiB" }
  static var mode: UInt64 { 2 << 1 }
}

enum AArch64Upper16KiBMachine: AArch64Machine {
  typealias Format = AArch64Upper16KiB
  static var name: String { "aarch64-upper-16KiB" }
  static var mode: UInt64 { 1 << 1 | 1 }
}

enum AArch64Lower64KiBMachine: AArch64Machine {
  typealias Format = AArch64Lower64KiB
  static var name: String { "aarch64-lower-64KiB" }
  static var mode: UInt64 { 1 << 1 }
}

enum AArch64Upper64KiBMachine: AArch64Machine {
  typealias Format = AArch64Upper64KiB
  static var name: String { "aarch64-upper-64KiB" }
  static var mode: UInt64 { 3 << 1 | 1 }
}

/// x86-64: a page fault's error code and address.
protocol X86Machine: ProbedMachine {}

extension X86Machine {
  /// Above the hole below 4 GiB that a PC has.
  static var memoryStart: UInt64 { 0x1_0000_0000 }
  static var reservedRootEntry: Int? { 511 }

  static func word(tag: UInt16) -> UInt64 { ProbeWord.encode(UInt32(tag)) }

  static func fault(_ probe: Probe, _ permissions: MemPerm?) -> String {
    var code = PageFaultCode(of: probe)
    if permissions != nil { code.insert(.protection) }
    return "fault \(String(code.rawValue, radix: 16)) \(String(probe.address, radix: 16))"
  }
}

enum FourLevelMachine: X86Machine {
  typealias Format = X86FourLevel
  static var name: String { "x86-four-levels" }
  static var mode: UInt64 { 0 }
  static var kernelRunsUserPages: Bool { true }
}

/// Five levels, SMEP and SMAP.
enum FiveLevelMachine: X86Machine {
  typealias Format = X86FiveLevel
  static var name: String { "x86-five-levels" }
  static var mode: UInt64 { 7 }
  static var kernelTouchesUserPages: Bool { false }
}
