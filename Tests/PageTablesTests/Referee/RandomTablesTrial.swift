import Addresses
import LabTestSupport
import PageTables
import Testing

// One address space before its judges. For every sampled access there are three opinions on its outcome: the history of
// the operations, `translate`, and each judge. All must agree, to the bit of an error code.

/// A trial of random tables of an x86-64 format.
struct RandomTablesTrial<Format: PageTableFormat>: ~Copyable {
  let seed: UInt64
  let memory: PhysicalMemory
  let bench: Bench
  var tables: RandomTables<Format>
  var random: SeededGenerator
  let root: ProbedRoot

  init(seed: UInt64, plan: FramePlan, memory: PhysicalMemory, bench: Bench) throws {
    self.seed = seed
    self.memory = memory
    self.bench = bench
    random = SeededGenerator(seed: ~seed)
    // The processor's own entry moves: every part of the address space gets tested.
    let entries = [511, 256, 257, 1, 300].filter { !UserModeSurvey.deniedEntries.contains($0) }
    let reservedRootEntry = entries.randomElement(using: &random) ?? 511
    bench.hardware?.reservedRootEntry = reservedRootEntry
    // Some processors have no pages of 1 GiB; they sit out a quarter of the trials.
    let hasGigabytePages = bench.hardware?.hasGigabytePages ?? true
    let largestPage = hasGigabytePages || seed % 4 == 0 ? PageSize.size1GiB : .size2MiB
    tables = try RandomTables(
      seed: seed, plan: plan, memory: memory, reservedRootEntry: reservedRootEntry, largestPage: largestPage)
    let isStrict = Bool.random(using: &random)
    root = ProbedRoot(
      address: tables.table.root.raw, levelCount: Format.levelCount, largestPage: largestPage,
      hasSMEP: isStrict && Bool.random(using: &random), hasSMAP: isStrict && Bool.random(using: &random))
  }

  /// Changes the tables and has them judged, `rounds` times; returns how many verdicts were compared.
  mutating func run(rounds: Int) throws -> Int {
    var count = 0
    for round in 0..<rounds {
      tables.change(count: round == 0 ? 24 : 12)
      let context = "seed \(seed), round \(round)"
      let addresses = tables.sampleAddresses(count: 16)
      checkTranslations(of: addresses, context)
      let probes = randomProbes(of: addresses)
      clearMarks()
      let entries = tableWords()
      var lenientRoot = root
      (lenientRoot.hasSMEP, lenientRoot.hasSMAP) = (false, false)
      for judge in bench.judges where judge.canLoad(lenientRoot) {
        let root = judge.canLoad(root) ? root : lenientRoot
        for (location, word) in entries { memory[location] = word }
        let mine = probes.filter { judge.canJudge($0, levelCount: Format.levelCount) }
        count += try compare(mine, judge: judge, under: root, entries, context)
      }
    }
    return count
  }

  /// Whether every table was returned to its allocator.
  consuming func end() -> Bool { tables.end() == 0 }

  // MARK: Expectations

  private func checkTranslations(of addresses: [UInt64], _ context: String) {
    for address in addresses {
      let expected = tables.expectation(at: address)
      let found = try? tables.table.translate(VirtAddr(UInt(address)))
      let agree = found?.physical.raw == expected?.physical && found?.permissions == expected?.permissions
      if !agree {
        Issue.record(
          "\(context): 0x\(String(address, radix: 16)) translates to \(String(describing: found)), not \(String(describing: expected))"
        )
      }
    }
  }

  private mutating func randomProbes(of addresses: [UInt64]) -> [Probe] {
    addresses.flatMap { address in
      (0..<3).map { _ in
        Probe(
          address: address, access: ProbeAccess.allCases.randomElement(using: &random) ?? .read,
          mode: ProbeMode.allCases.randomElement(using: &random) ?? .kernel,
          word: ProbeWord.encode(UInt32(truncatingIfNeeded: random.next())))
      }
    }
  }

  /// The outcome of an access according to `translate` and the permissions it reports; `words` are the words of memory.
  private func expectedVerdict(_ probe: Probe, _ words: inout [UInt64: UInt64], under root: ProbedRoot) -> Verdict {
    let address = VirtAddr(UInt(probe.address))
    guard Format.covers(address) else { return .generalProtection }
    var code = PageFaultCode(of: probe)
    guard let translation = try? tables.table.translate(address) else {
      return .pageFault(code, address: probe.address)
    }
    let permissions = translation.permissions
    var needed: MemPerm = probe.access == .read ? .read : probe.access == .write ? .write : .execute
    if probe.mode == .user { needed.formUnion(.user) }
    let isKeptOut =
      probe.mode == .kernel && permissions.contains(.user)
      && (probe.access == .fetch ? root.hasSMEP : root.hasSMAP)
    guard permissions.contains(needed) && !isKeptOut else {
      code.insert(.protection)
      return .pageFault(code, address: probe.address)
    }
    let physical = translation.physical.raw
    switch probe.access {
    case .read: return .done(words[physical] ?? 0)
    case .fetch: return .done(UInt64(ProbeWord.tag(of: words[physical] ?? 0) ?? 0))
    case .write:
      words[physical] = probe.word
      return .done(0)
    }
  }

  private func compare(
    _ probes: [Probe], judge: any Judge, under root: ProbedRoot, _ entries: [(UInt64, UInt64)], _ context: String
  ) throws -> Int {
    // Each word's tag is derived from its address, which exposes a read from elsewhere.
    var words: [UInt64: UInt64] = [:]
    for probe in probes {
      guard let translation = try? tables.table.translate(VirtAddr(UInt(probe.address))) else { continue }
      var tag = SeededGenerator(seed: translation.physical.raw)
      words[translation.physical.raw] = ProbeWord.encode(UInt32(truncatingIfNeeded: tag.next()))
    }
    for (physical, word) in words { memory[physical] = word }

    let verdicts: [Verdict]
    do {
      verdicts = try judge.judge(probes, under: root)
    } catch {
      Issue.record("\(context): the \(judge.name) failed: \(error)")
      return 0
    }
    for (probe, verdict) in zip(probes, verdicts) {
      let expected = expectedVerdict(probe, &words, under: root)
      if verdict != expected {
        Issue.record("\(context): \(probe): translate expects \(expected), the \(judge.name) says \(verdict)")
      }
    }
    for (physical, word) in words where memory[physical] != word {
      Issue.record("\(context): the word at 0x\(String(physical, radix: 16)) differs after the \(judge.name)'s probes")
    }
    checkMarks(probes, verdicts, judge: judge, entries, context)
    return probes.count
  }
}
