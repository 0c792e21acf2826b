import Addresses
import Glibc
import PageTables
import Testing

/// Seeded random address spaces before the judges. `HEAPLAB_REFEREE_SPACES` sets how many there are, and
/// `HEAPLAB_REFEREE_SEED` where the seeds start.
@Suite(.serialized) struct AddressSpaceTests {
  private static let plan = FramePlan(from: PhysAddr(4 << 30))

  private static func number(_ variable: String) -> UInt64? {
    getenv(variable).flatMap { UInt64(String(cString: $0)) }
  }

  private func judgeAddressSpaces<Format: PageTableFormat>(_ format: Format.Type, count: UInt64) throws {
    let memory = PhysicalMemory(start: AddressSpaceTests.plan.tables.start, byteCount: 4 << 30)
    let bench = Bench(over: memory)
    let first = AddressSpaceTests.number("HEAPLAB_REFEREE_SEED") ?? 1
    var verdictCount = 0
    for seed in first..<first + count {
      var trial = try AddressSpaceTrial<Format>(
        seed: seed, plan: AddressSpaceTests.plan, memory: memory, bench: bench)
      verdictCount += try trial.run(rounds: 2)
      let isEmpty = trial.end()
      #expect(isEmpty, "seed \(seed): a table was not given back")
    }
    print("judged \(count) address spaces of \(Format.self): \(verdictCount) verdicts")
  }

  @Test func fourLevels() throws {
    try judgeAddressSpaces(X86FourLevel.self, count: AddressSpaceTests.number("HEAPLAB_REFEREE_SPACES") ?? 1000)
  }

  @Test func fiveLevels() throws {
    try judgeAddressSpaces(X86FiveLevel.self, count: (AddressSpaceTests.number("HEAPLAB_REFEREE_SPACES") ?? 1000) / 4)
  }
}
