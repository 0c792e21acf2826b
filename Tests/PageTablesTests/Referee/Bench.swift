/// The judges of one memory: always the manual, and the processor where available.
struct Bench {
  let software: SoftwareJudge
  let hardware: HardwareJudge?

  /// The judges over `memory`. The tables leave the root entry `reservedRootEntry` to the processor's own code.
  init(over memory: PhysicalMemory, reservedRootEntry: Int = 511) {
    software = SoftwareJudge(memory: memory)
    hardware = HardwareJudge(memory: memory, reservedRootEntry: reservedRootEntry)
    Bench.announceOnce(hardware)
  }

  /// Both judges, or the manual alone.
  var judges: [any Judge] { [software] + (hardware.map { [$0] } ?? []) }

  private static func announceOnce(_ hardware: HardwareJudge?) {
    if hardware == nil { _ = absence } else { _ = presence }
  }

  private static let absence: Void = {
    print("skipped: /dev/kvm; the software walk judges alone")
  }()

  private static let presence: Void = {
    let walker =
      HardwareJudge.walksTheTablesItself
      ? "the processor walks the tables under test"
      : "KVM walks the tables under test and the processor obeys its shadow of them"
    print("judge: /dev/kvm; \(walker)")
    let denied = UserModeSurvey.deniedEntries.sorted()
    if !denied.isEmpty {
      print("judge: /dev/kvm keeps user mode out of root entries \(denied); there the software walk judges alone")
    }
  }()
}
