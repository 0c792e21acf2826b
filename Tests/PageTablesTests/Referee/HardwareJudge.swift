import Addresses
import CLabKVM
import Glibc

/// The processor, as a /dev/kvm guest whose physical memory holds the tables.
///
/// On a machine with nested page tables (EPT, NPT), the processor's own walker reads the tables under test. Otherwise
/// KVM's walker reads them and shadows what it found, and the processor obeys the shadow; ``walksTheTablesItself``
/// tells which.
final class HardwareJudge: Judge {
  let name = "processor"
  var reservedRootEntry: Int?

  private let guest: OpaquePointer
  private let memory: PhysicalMemory
  private let features: lab_kvm_features

  /// A machine over `memory` that maps its own code through the root entry `reservedRootEntry`, or nil where /dev/kvm
  /// does not open.
  init?(memory: PhysicalMemory, reservedRootEntry: Int = 511) {
    var description = lab_kvm_memory(
      host_address: memory.base, byte_count: memory.range.byteCount, physical_start: memory.range.start.raw)
    var guest: OpaquePointer?
    guard lab_kvm_guest_open(&description, &guest) == 0, let guest else { return nil }
    self.guest = guest
    var features = lab_kvm_features()
    lab_kvm_features_get(guest, &features)
    self.features = features
    self.memory = memory
    self.reservedRootEntry = reservedRootEntry
  }

  deinit {
    lab_kvm_guest_close(guest)
  }

  /// Whether the processor itself walks a guest's tables, as far as the kernel's modules tell.
  static var walksTheTablesItself: Bool {
    ["kvm_intel/parameters/ept", "kvm_amd/parameters/npt"].contains { parameter in
      guard let file = fopen("/sys/module/" + parameter, "r") else { return false }
      defer { fclose(file) }
      return [CInt(UInt8(ascii: "Y")), CInt(UInt8(ascii: "1"))].contains(fgetc(file))
    }
  }

  func canJudge(_ probe: Probe, levelCount: Int) -> Bool {
    probe.mode == .kernel || levelCount != 4 || !UserModeSurvey.deniedEntries.contains(Int(probe.address >> 39 & 0x1FF))
  }

  func canLoad(_ root: ProbedRoot) -> Bool {
    (root.levelCount == 4 || features.five_levels != 0) && (root.largestPage < .size1GiB || hasGigabytePages)
      && (!root.hasSMEP || features.smep != 0) && (!root.hasSMAP || features.smap != 0)
  }

  /// Whether the processor has pages of 1 GiB.
  var hasGigabytePages: Bool { features.gigabyte_pages != 0 }

  func judge(_ probes: [Probe], under root: ProbedRoot) throws -> [Verdict] {
    var description = cRoot(root)
    try check(lab_kvm_root_set(guest, &description), "setting the root")
    defer { lab_kvm_root_clear(guest) }
    var verdicts: [Verdict] = []
    verdicts.reserveCapacity(probes.count)
    var rest = probes[...]
    while !rest.isEmpty {
      let batch = rest.prefix(LAB_KVM_PROBE_COUNT_MAX)
      rest = rest.dropFirst(batch.count)
      var records = batch.map {
        lab_kvm_probe(
          address: $0.address, value: $0.word, access: $0.access.rawValue, user: $0.mode.rawValue, outcome: 0,
          vector: 0, error_code: 0, fault_address: 0)
      }
      try check(lab_kvm_probes_run(guest, &records, records.count), "running probes")
      verdicts += records.map(verdict)
    }
    return verdicts
  }

  private func cRoot(_ root: ProbedRoot) -> lab_kvm_root {
    let controls = (root.hasSMEP ? LAB_KVM_SMEP.rawValue : 0) | (root.hasSMAP ? LAB_KVM_SMAP.rawValue : 0)
    return lab_kvm_root(
      physical_address: root.address, level_count: UInt32(root.levelCount),
      monitor_slot: UInt32(reservedRootEntry ?? 511), controls: controls)
  }

  private func verdict(_ record: lab_kvm_probe) -> Verdict {
    switch UInt32(record.outcome) {
    case LAB_KVM_DONE.rawValue: .done(record.access == ProbeAccess.write.rawValue ? 0 : record.value)
    case LAB_KVM_PAGE_FAULT.rawValue:
      .pageFault(PageFaultCode(rawValue: record.error_code), address: record.fault_address)
    case LAB_KVM_GENERAL_PROTECTION.rawValue: .generalProtection
    default: .other(vector: record.vector)
    }
  }

  private func check(_ error: CInt, _ action: String) throws {
    guard error != 0 else { return }
    throw HardwareJudgeError(action: action, errno: error, exitReason: lab_kvm_exit_reason(guest))
  }
}

/// The machine stopped unexpectedly.
struct HardwareJudgeError: Error, CustomStringConvertible {
  var action: String
  var errno: CInt
  var exitReason: UInt32

  var description: String { "\(action): \(String(cString: strerror(errno))), last KVM exit \(exitReason)" }
}
