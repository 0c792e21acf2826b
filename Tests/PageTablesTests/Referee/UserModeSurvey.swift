// Some machines run guests without hardware virtualization, in user mode and beside their own kernel. There, user mode
// cannot reach the part of the address space that holds that kernel. Such a machine's verdicts on those addresses say
// nothing about the tables. The survey finds the addresses with tables written by hand, in which every entry on the
// path is present, writable and open to user mode: a fault there is the machine's own.

/// The root entries under which this machine's /dev/kvm denies user mode a read that any processor would allow.
enum UserModeSurvey {
  /// The indices of those entries; empty on a machine with hardware virtualization, and where there is no /dev/kvm.
  static let deniedEntries: Set<Int> = survey()

  private static func survey() -> Set<Int> {
    let start: UInt64 = 1 << 30
    let memory = PhysicalMemory(start: .init(start), byteCount: 5 << 12)
    guard let judge = HardwareJudge(memory: memory) else { return [] }
    let word = ProbeWord.encode(1)
    memory[start + 0x1000] = (start + 0x2000) | 7
    memory[start + 0x2000] = (start + 0x3000) | 7
    memory[start + 0x3000] = (start + 0x4000) | 7
    memory[start + 0x4000] = word
    var denied: Set<Int> = []
    for entry in 0..<511 {
      memory[start + UInt64(entry) * 8] = (start + 0x1000) | 7
      let address = UInt64(bitPattern: (Int64(entry) << 55) >> 16)
      // The survey's own result must not suppress its probes, hence no canJudge here.
      let probe = Probe(address: address, access: .read, mode: .user)
      let verdicts = try? judge.judge([probe], under: ProbedRoot(address: start))
      if verdicts != [.done(word)] { denied.insert(entry) }
      memory[start + UInt64(entry) * 8] = 0
    }
    return denied
  }
}
