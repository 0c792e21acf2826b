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

  /// The model maps no frame that holds a table, even where a mapping from physical address 0 on would cover them all:
  /// tables are freed while the mapping stands.
  @Test func tablesAreFreedBesideALargeMapping() throws {
    let page: [UInt8] = [0, 0, 0, 3, 0, 0, 0]
    try freesTables(X86FiveLevel.self, beside: page)
    try freesTables(X86FourLevel.self, beside: page)
    try freesTables(X86Encrypted.self, beside: page)
    try freesTables(AArch64Lower.self, beside: page)
    try freesTables(AArch64Upper16KiB.self, beside: page)
    try freesTables(AArch64Lower64KiB.self, beside: page)
    try freesTables(Sv39.self, beside: page)
    try freesTables(Sv57MemoryTypes.self, beside: page)
    // A range of a large page and a small one.
    let range: [UInt8] = [13, 0, 0, 0xC1, 0, 0, 0]
    try freesTables(AArch64Upper16KiB.self, beside: range)
    try freesTables(AArch64Lower64KiB.self, beside: range)
  }

  func freesTables<Format: PageTableFormat>(_ format: Format.Type, beside mapping: [UInt8]) throws {
    var model = try PageTableModel<Format>()
    try model.run(mapping)
    let largest = model.leaves[0]?.size
    #expect(largest == Format.largestPage)
    // One frame is too few for the tables of a page in the other half. With enough frames, it is mapped, unmapped, and
    // its tables cleaned up.
    for operation: [UInt8] in [[0xE0, 1, 3], [0, 3], [8, 3], [0x1F, 3, 0, 1]] {
      try model.run(operation)
    }
    let freedCount = model.frames.allocationCount - model.frames.usedCount
    #expect(freedCount >= 2)
    try model.finish()
  }

  @Test func aBugIsFound() throws {
    var model = try PageTableModel<X86FourLevel>()
    model.seedsBug = true
    let finding = try #require(steps(&model, 1))
    #expect(finding.contains("the tables hold nil, expected Optional"))
  }
}

extension PageTableModel {
  /// Runs one operation; its bytes go on with zeros.
  mutating func run(_ operation: [UInt8]) throws {
    var bytes = OperationBytes(bytes: operation[...])
    try step(&bytes)
  }
}
