import Addresses
import LabTestSupport
import PageTables
import Testing

/// Seeded sequences of operations against the dictionary, for every format.
@Suite struct PageTableModelTests {
  @Test(arguments: 1...4) func x86FourLevel(seed: UInt64) throws { try run(X86FourLevel.self, seed) }
  @Test(arguments: 5...6) func x86FiveLevel(seed: UInt64) throws { try run(X86FiveLevel.self, seed) }
  @Test(arguments: 7...8) func aarch64Upper(seed: UInt64) throws { try run(AArch64Upper.self, seed) }
  @Test(arguments: 9...10) func sv39(seed: UInt64) throws { try run(Sv39.self, seed) }
  @Test(arguments: 11...12) func sv48(seed: UInt64) throws { try run(Sv48.self, seed) }

  @Test(arguments: [13]) func sv57(seed: UInt64) throws { try run(Sv57.self, seed) }
  @Test(arguments: [15]) func sv48MemoryTypes(seed: UInt64) throws { try run(Sv48MemoryTypes.self, seed) }
  @Test(arguments: [17]) func aarch64Lower16KiB(seed: UInt64) throws {
    try run(AArch64Lower16KiB.self, seed, stepCount: 200)
  }
  @Test(arguments: [20]) func aarch64Upper16KiB(seed: UInt64) throws {
    try run(AArch64Upper16KiB.self, seed, stepCount: 200)
  }
  @Test(arguments: [21]) func aarch64Lower64KiB(seed: UInt64) throws {
    try run(AArch64Lower64KiB.self, seed, stepCount: 80)
  }
  @Test(arguments: [24]) func aarch64Upper64KiB(seed: UInt64) throws {
    try run(AArch64Upper64KiB.self, seed, stepCount: 80)
  }
  @Test(arguments: [25]) func x86Encrypted(seed: UInt64) throws { try run(X86Encrypted.self, seed) }
  @Test(arguments: [27]) func x86Trusted(seed: UInt64) throws { try run(X86Trusted.self, seed) }

  func run<Format: PageTableFormat>(_ format: Format.Type, _ seed: UInt64, stepCount: Int = 400) throws {
    var model = try PageTableModel<Format>()
    if let finding = steps(&model, seed, count: stepCount) { Issue.record("\(finding)") }
    try model.finish()
  }

  /// Runs operations; returns the first disagreement, with the seed that leads to it.
  func steps<Format: PageTableFormat>(_ model: inout PageTableModel<Format>, _ seed: UInt64, count: Int = 400)
    -> String?
  {
    var generator = SeededGenerator(seed: seed)
    for step in 0..<count {
      let random = (0..<12).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
      var bytes = OperationBytes(bytes: random[...])
      do {
        try model.step(&bytes, compares: step % 8 == 0)
      } catch {
        return "seed \(seed), step \(step): \(error)"
      }
    }
    return nil
  }

  /// Operations whose flushes do not reach the processors break the rule that entries are broken before others are made.
  @Test func aForgottenFlushIsFound() throws {
    #expect(try findingOfDeaf(X86FourLevel.self).contains("without a flush"))
    #expect(try findingOfDeaf(AArch64Upper.self).contains("without a flush"))
    #expect(try findingOfDeaf(Sv39.self).contains("without a flush"))
  }

  func findingOfDeaf<Format: PageTableFormat>(_ format: Format.Type) throws -> String {
    var model = try PageTableModel<Format>()
    model.tlb.isDeaf = true
    return steps(&model, 1) ?? ""
  }

  @Test func aBugIsFound() throws {
    var model = try PageTableModel<X86FourLevel>()
    model.seedsBug = true
    let finding = try #require(steps(&model, 1))
    #expect(finding.contains("the tables hold nil, expected Optional"))
  }
}
