import Addresses
import Testing

// Tests of the judges themselves, under tables whose every bit is written by hand. The expectations follow the manual
// (Intel SDM volume 3A, 4.6 and 4.7), not the code of either judge.

/// Tables for one page, one entry per level, to be filled by hand.
struct HandTables {
  static let start: UInt64 = 1 << 30
  static let root = start
  static let table3 = start + 0x1000
  static let table2 = start + 0x2000
  static let table1 = start + 0x3000
  static let frame4KiB = start + 0x4000
  static let frame2MiB = start + 0x20_0000

  static let present: UInt64 = 1
  static let writable: UInt64 = 2
  static let user: UInt64 = 4
  static let accessed: UInt64 = 0x20
  static let dirty: UInt64 = 0x40
  static let large: UInt64 = 0x80
  static let executeDisable: UInt64 = 1 << 63

  let memory = PhysicalMemory(start: .init(start), byteCount: 4 << 21)

  /// Links the tables for `address` without restrictions, with `leaf` at the end.
  func map(_ address: UInt64, leaf: UInt64, upper: UInt64 = 7) {
    memory[HandTables.root + (address >> 39 & 511) * 8] = HandTables.table3 | upper
    memory[HandTables.table3 + (address >> 30 & 511) * 8] = HandTables.table2 | 7
    memory[HandTables.table2 + (address >> 21 & 511) * 8] = HandTables.table1 | 7
    memory[HandTables.table1 + (address >> 12 & 511) * 8] = leaf
  }

  /// Read, write and fetch by the kernel and by the user, in this order.
  static func probes(of address: UInt64, writing word: UInt64) -> [Probe] {
    ProbeMode.allCases.flatMap { mode in
      ProbeAccess.allCases.map { Probe(address: address, access: $0, mode: mode, word: word) }
    }
  }
}

@Suite struct JudgeTests {
  private static let addresses: [UInt64] = [
    0x0000_0000_0000_1008, 0x0000_7FFF_FFFF_FFF8, 0x0000_1234_5678_9AB8, 0xFFFF_8080_0020_0000,
    0xFFFF_FF7F_FFFF_FFF8,
  ]

  @Test(arguments: addresses, 0..<16)
  func everyCombinationOfALeafsBits(address: UInt64, bits: Int) throws {
    let tables = HandTables()
    var leaf = HandTables.frame4KiB
    if bits & 1 != 0 { leaf |= HandTables.present }
    if bits & 2 != 0 { leaf |= HandTables.writable }
    if bits & 4 != 0 { leaf |= HandTables.user }
    if bits & 8 != 0 { leaf |= HandTables.executeDisable }
    let isPresent = bits & 1 != 0
    for judge in Bench(over: tables.memory).judges {
      tables.map(address, leaf: leaf)
      let physical = HandTables.frame4KiB | (address & 0xFFF)
      tables.memory[physical] = ProbeWord.encode(7)
      for probe in HandTables.probes(of: address, writing: ProbeWord.encode(8))
      where judge.canJudge(probe, levelCount: 4) {
        let isAllowed =
          isPresent && (probe.mode == .kernel || bits & 4 != 0) && (probe.access != .write || bits & 2 != 0)
          && (probe.access != .fetch || bits & 8 == 0)
        var code: UInt32 = isPresent ? 1 : 0
        if probe.access == .write { code |= 2 }
        if probe.mode == .user { code |= 4 }
        if probe.access == .fetch { code |= 16 }
        let before = tables.memory[physical]
        let verdict = try judge.judge([probe], under: ProbedRoot(address: HandTables.root))
        let value = probe.access == .write ? 0 : probe.access == .read ? before : before >> 8 & 0xFFFF_FFFF
        let expected: Verdict =
          isAllowed ? .done(value) : .pageFault(PageFaultCode(rawValue: code), address: probe.address)
        #expect(verdict == [expected], "\(judge.name): \(probe)")
        if isAllowed && probe.access == .write { #expect(tables.memory[physical] == ProbeWord.encode(8)) }
      }
    }
  }

  @Test(arguments: [HandTables.writable, HandTables.user, HandTables.executeDisable], ["kernel", "user"])
  func aRestrictionAboveTheLeafCounts(bit: UInt64, mode: String) throws {
    let address: UInt64 = 0x0000_0040_8060_3010
    let tables = HandTables()
    for judge in Bench(over: tables.memory).judges {
      tables.map(address, leaf: HandTables.frame4KiB | 7, upper: 7 ^ bit)
      tables.memory[HandTables.frame4KiB + 0x10] = ProbeWord.encode(9)
      let probes = HandTables.probes(of: address, writing: ProbeWord.encode(9)).filter { "\($0.mode)" == mode }
      let verdicts = try judge.judge(probes, under: ProbedRoot(address: HandTables.root))
      for (probe, verdict) in zip(probes, verdicts) {
        let isForbidden =
          (bit == HandTables.writable && probe.access == .write) || (bit == HandTables.user && probe.mode == .user)
          || (bit == HandTables.executeDisable && probe.access == .fetch)
        if case .pageFault(let code, let address) = verdict {
          #expect(isForbidden && code.contains(.protection) && address == probe.address, "\(judge.name): \(probe)")
        } else {
          #expect(!isForbidden, "\(judge.name): \(probe): \(verdict)")
        }
      }
    }
  }

  @Test func accessedAndDirtyBitsFollowTheAccess() throws {
    let address: UInt64 = 0x0000_0040_8060_3010
    let tables = HandTables()
    for judge in Bench(over: tables.memory).judges {
      for (access, bits) in [
        (ProbeAccess.read, HandTables.accessed), (.fetch, HandTables.accessed),
        (.write, HandTables.accessed | HandTables.dirty),
      ] {
        tables.map(address, leaf: HandTables.frame4KiB | 7)
        tables.memory[HandTables.frame4KiB + 0x10] = ProbeWord.encode(1)
        let probe = Probe(address: address, access: access, mode: .user, word: ProbeWord.encode(1))
        _ = try judge.judge([probe], under: ProbedRoot(address: HandTables.root))
        let leaf = tables.memory[HandTables.table1 + (address >> 12 & 511) * 8]
        #expect(leaf == HandTables.frame4KiB | 7 | bits, "\(judge.name): \(access)")
        #expect(tables.memory[HandTables.root + 8 * 0] & HandTables.accessed != 0, "\(judge.name): \(access)")
        #expect(tables.memory[HandTables.root + 8 * 511] == 0, "\(judge.name) must leave no entry of its own")
      }
    }
  }

  @Test func aLargePageTakesItsOffsetFromTwentyOneBits() throws {
    let address: UInt64 = 0x0000_0040_8060_0000
    let tables = HandTables()
    for judge in Bench(over: tables.memory).judges {
      tables.map(address, leaf: 0)
      tables.memory[HandTables.table2 + (address >> 21 & 511) * 8] = HandTables.frame2MiB | HandTables.large | 7
      for offset: UInt64 in [0, 0xFF8, 0x12_3458, 0x1F_FFF8] {
        tables.memory[HandTables.frame2MiB + offset] = ProbeWord.encode(UInt32(offset))
        let probe = Probe(address: address + offset, access: .fetch, mode: .user)
        #expect(
          try judge.judge([probe], under: ProbedRoot(address: HandTables.root)) == [.done(offset)], "\(judge.name)")
      }
    }
  }

  @Test(arguments: [UInt64(1) << 47, 1 << 62, 0xFFFF_7FFF_FFFF_FFF8])
  func anAddressThatIsNotCanonicalIsAProtectionFault(address: UInt64) throws {
    let tables = HandTables()
    for judge in Bench(over: tables.memory).judges {
      let probes = HandTables.probes(of: address, writing: 0)
      let verdicts = try judge.judge(probes, under: ProbedRoot(address: HandTables.root))
      #expect(verdicts.allSatisfy { $0 == .generalProtection }, "\(judge.name): \(verdicts)")
    }
  }

  @Test func aReservedBitIsReported() throws {
    let address: UInt64 = 0x0000_0040_8060_0000
    let tables = HandTables()
    for judge in Bench(over: tables.memory).judges {
      tables.map(address, leaf: 0)
      // Bit 13 of an entry that maps 2 MiB must be clear.
      tables.memory[HandTables.table2 + (address >> 21 & 511) * 8] =
        HandTables.frame2MiB | 1 << 13 | HandTables.large | 7
      let probe = Probe(address: address, access: .write, mode: .user)
      let verdicts = try judge.judge([probe], under: ProbedRoot(address: HandTables.root))
      #expect(
        verdicts == [.pageFault([.protection, .write, .user, .reserved], address: address)],
        "\(judge.name): \(verdicts)")
    }
  }

  @Test(arguments: [true, false], [true, false])
  func kernelModeIsKeptFromUserPages(smep: Bool, smap: Bool) throws {
    let address: UInt64 = 0x0000_0040_8060_3010
    let tables = HandTables()
    let root = ProbedRoot(address: HandTables.root, hasSMEP: smep, hasSMAP: smap)
    for judge in Bench(over: tables.memory).judges where judge.canLoad(root) {
      tables.map(address, leaf: HandTables.frame4KiB | 7)
      tables.memory[HandTables.frame4KiB + 0x10] = ProbeWord.encode(9)
      let probes = HandTables.probes(of: address, writing: ProbeWord.encode(9)).prefix(3)
      let verdicts = try judge.judge(Array(probes), under: root)
      let word = ProbeWord.encode(9)
      #expect(
        verdicts == [
          smap ? .pageFault([.protection], address: address) : .done(word),
          smap ? .pageFault([.protection, .write], address: address) : .done(0),
          smep ? .pageFault([.protection, .fetch], address: address) : .done(9),
        ], "\(judge.name)")
    }
  }
}
