import Addresses
import Glibc
import PageTables
import Testing

/// Puts seeded random address spaces before the judges. `HEAPLAB_REFEREE_SPACES` sets their number, and
/// `HEAPLAB_REFEREE_SEED` the first seed.
@Suite(.serialized) struct RandomTablesTests {
  private static let plan = FramePlan(from: PhysAddr(4 << 30))

  private static func number(_ variable: String) -> UInt64? {
    getenv(variable).flatMap { UInt64(String(cString: $0)) }
  }

  private func judgeAddressSpaces<Format: PageTableFormat>(_ format: Format.Type, count: UInt64) throws {
    let memory = PhysicalMemory(start: RandomTablesTests.plan.tables.start, byteCount: 4 << 30)
    let bench = Bench(over: memory)
    let first = RandomTablesTests.number("HEAPLAB_REFEREE_SEED") ?? 1
    var verdictCount = 0
    for seed in first..<first + count {
      var trial = try RandomTablesTrial<Format>(
        seed: seed, plan: RandomTablesTests.plan, memory: memory, bench: bench)
      verdictCount += try trial.run(rounds: 2)
      let isEmpty = trial.end()
      #expect(isEmpty, "seed \(seed): a table was not given back")
    }
    print("judged \(count) address spaces of \(Format.self): \(verdictCount) verdicts")
  }

  @Test func fourLevels() throws {
    try judgeAddressSpaces(X86FourLevel.self, count: RandomTablesTests.number("HEAPLAB_REFEREE_SPACES") ?? 400)
  }

  @Test func fiveLevels() throws {
    try judgeAddressSpaces(X86FiveLevel.self, count: (RandomTablesTests.number("HEAPLAB_REFEREE_SPACES") ?? 400) / 4)
  }
}
