import Addresses
import Foundation
import LabTestSupport
import PageTables

// Page tables as files: the input with which a bare-metal program (Tests/PagingGuests) puts a processor under our
// tables and probes them, and the output it must print. Three files: the memory with the tables, the request, and the
// expected lines, one per probe, exactly as the program prints them.

/// The layout of one QEMU machine, and its processor's error reports.
protocol ProbedMachine {
  associatedtype Format: PageTableFormat
  /// The name of its files.
  static var name: String { get }
  /// The first byte of RAM; the request lies 128 MiB and the tables 256 MiB from there.
  static var memoryStart: UInt64 { get }
  /// The processor's mode: what the program must set besides the root.
  static var mode: UInt64 { get }
  /// The instructions that return a 16-bit tag, as a word.
  static func word(tag: UInt16) -> UInt64
  /// The line for an access that these permissions do not allow; nil permissions mean that nothing is mapped.
  static func fault(_ probe: Probe, _ permissions: MemPerm?) -> String
  /// Whether kernel mode may fetch from user pages.
  static var kernelRunsUserPages: Bool { get }
  /// Whether kernel mode may read and write user pages.
  static var kernelTouchesUserPages: Bool { get }
  /// The root entry that the program needs for itself, nil for none.
  static var reservedRootEntry: Int? { get }
  /// Whether the program can make accesses to an address.
  static func canJudge(_ address: UInt64) -> Bool
  /// Whether the program prints the result of the processor's own translation instruction.
  static var asksForTranslation: Bool { get }
}

extension ProbedMachine {
  static var kernelRunsUserPages: Bool { false }
  static var kernelTouchesUserPages: Bool { true }
  static var asksForTranslation: Bool { false }
  static var reservedRootEntry: Int? { nil }
  static func canJudge(_ address: UInt64) -> Bool { true }

  static var plan: FramePlan { FramePlan(from: PhysAddr(memoryStart), tablesAt: 256 << 20) }
}

/// The files for one machine.
struct ProbeImage<Machine: ProbedMachine> {
  private var plants: [UInt64: UInt64] = [:]
  private var probes: [Probe] = []
  private var lines: [String] = []
  private var root: UInt64 = 0

  /// Random tables from a seed, with six probes for each of `addressCount` addresses, written to `folder`.
  static func write(seed: UInt64, addressCount: Int, to folder: URL) throws {
    let plan = Machine.plan
    let memory = PhysicalMemory(start: plan.tables.start, byteCount: plan.tables.byteCount)
    var tables = try RandomTables<Machine.Format>(
      seed: seed, plan: plan, memory: memory, reservedRootEntry: Machine.reservedRootEntry)
    tables.change(count: 80)
    var image = ProbeImage()
    image.root = tables.table.root.raw
    for address in tables.sampleAddresses(count: addressCount)
    where Machine.Format.covers(VirtAddr(UInt(address))) && Machine.canJudge(address) {
      for mode in ProbeMode.allCases {
        for access in ProbeAccess.allCases {
          let tag = UInt16(truncatingIfNeeded: tables.random.next() & 0x7FFF)
          let probe = Probe(address: address, access: access, mode: mode, word: Machine.word(tag: tag))
          image.add(probe, try? tables.table.translate(VirtAddr(UInt(address))))
        }
      }
    }
    try image.save(memory, upTo: tables.frames.used.map(\.end.raw).max() ?? plan.tables.start.raw, to: folder)
    guard tables.end() == 0 else { throw CocoaError(.featureUnsupported) }
  }

  private var words: [UInt64: UInt64] = [:]

  private mutating func add(_ probe: Probe, _ translation: Translation<Machine.Format>?) {
    let index = String(probes.count, radix: 16)
    let address = String(probe.address, radix: 16)
    let found = outcome(of: probe, translation)
    var line =
      "\(index) \(probe.mode) \(probe.access) \(address) \(found ?? Machine.fault(probe, translation?.permissions))"
    if probe.access != .fetch && Machine.asksForTranslation {
      let physical = translation.map { String($0.physical.raw, radix: 16) } ?? "none"
      line += found == nil ? " at none" : " at \(physical)"
    }
    probes.append(probe)
    lines.append(line)
  }

  /// The line for an access that succeeds, nil for one that must not.
  private mutating func outcome(of probe: Probe, _ translation: Translation<Machine.Format>?) -> String? {
    guard let translation else { return nil }
    let physical = translation.physical.raw
    var number = SeededGenerator(seed: physical)
    let tag = UInt16(truncatingIfNeeded: number.next() & 0x7FFF)
    if words[physical] == nil {
      words[physical] = Machine.word(tag: tag)
      plants[physical] = Machine.word(tag: tag)
    }
    var needed: MemPerm = probe.access == .read ? .read : probe.access == .write ? .write : .execute
    if probe.mode == .user { needed.formUnion(.user) }
    let isUserPage = translation.permissions.contains(.user)
    guard translation.permissions.contains(needed) else { return nil }
    let isKeptOut = probe.access == .fetch ? !Machine.kernelRunsUserPages : !Machine.kernelTouchesUserPages
    if probe.mode == .kernel && isUserPage && isKeptOut { return nil }
    switch probe.access {
    case .read: return "done \(String(words[physical] ?? 0, radix: 16))"
    case .write:
      words[physical] = probe.word
      return "done 0"
    case .fetch:
      let tag = (0...UInt16(0x7FFF)).first { Machine.word(tag: $0) == words[physical] } ?? 0
      return "done \(String(tag, radix: 16))"
    }
  }

  private func save(_ memory: PhysicalMemory, upTo end: UInt64, to folder: URL) throws {
    let byteCount = Int(end - memory.range.start.raw)
    try Data(bytes: memory.base, count: byteCount).write(to: folder.appending(path: "\(Machine.name).tables"))

    // The layout of `struct request` in Tests/PagingGuests/guest.h.
    var request: [UInt64] = [0x3145_4741_5042_4C48, root, Machine.mode, UInt64(plants.count), UInt64(probes.count)]
    for (physical, word) in plants.sorted(by: { $0.key < $1.key }) { request += [physical, word] }
    for probe in probes {
      request += [probe.address, probe.word, UInt64(probe.access.rawValue) | UInt64(probe.mode.rawValue) << 32]
    }
    try request.withUnsafeBytes { Data($0) }.write(to: folder.appending(path: "\(Machine.name).request"))
    let text = (lines + ["end", ""]).joined(separator: "\n")
    try Data(text.utf8).write(to: folder.appending(path: "\(Machine.name).expected"))
  }
}
