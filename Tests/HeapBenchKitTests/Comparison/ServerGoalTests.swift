import Testing

@testable import HeapBenchKit

/// The goals for servers.
@Suite struct ServerGoalTests {
  private static func measure(_ figure: String, _ items: [ComparedItem]) throws -> Goal.Measured? {
    try #require(Goal.servers.first { $0.figure == figure }).evaluate(SampleComparison.report(items))
  }

  @Test func smallHeapsAreHeldToTheBetterOfTwoPeers() throws {
    func measure(_ heaplab: Int, _ jemalloc: Int?, _ tcmalloc: Int) throws -> Goal.Measured? {
      var resident = ["glibc": (110, 0), "heaplab": (heaplab, 0), "tcmalloc": (tcmalloc, 0)]
      resident["jemalloc"] = jemalloc.map { ($0, 0) }
      return try Self.measure(
        "small heaps, 8 threads × 256 blocks", [SampleComparison.footprint("small-heaps-8x256", resident)])
    }
    let even = try #require(try measure(450, 450, 700))
    #expect(even.isMet && even.place == "jemalloc: 4.50")
    #expect(try measure(451, 450, 700)?.isMet == false)
    #expect(try measure(451, 700, 450)?.isMet == false)
    #expect(try measure(1, nil, 450) == nil, "a peer that is missing is not beaten")
  }

  @Test func theWorstSmallHeapCounts() throws {
    let lean = SampleComparison.footprint("small-heaps-1x256", ["heaplab": (150, 0)])
    let fat = SampleComparison.footprint("small-heaps-64x256", ["heaplab": (201, 0)])
    let other = SampleComparison.footprint("sawtooth", ["heaplab": (900, 0)])
    #expect(try Self.measure("small heaps, every one", [lean, other])?.isMet == true)
    let measured = try #require(try Self.measure("small heaps, every one", [lean, fat, other]))
    #expect(!measured.isMet && measured.value == 2.01 && measured.place == "worst: small-heaps-64x256")
  }

  @Test func idleThreadsAreHeldToTcmallocAndToANumber() throws {
    let kib = 10 * 1024
    func measure(_ heaplab: (Int, Int), tcmalloc: Int) throws -> [Bool?] {
      let item = SampleComparison.idle([
        "heaplab": (heaplab.0 * kib, heaplab.1 * kib), "tcmalloc": (tcmalloc * kib, tcmalloc * kib),
      ])
      return try ["500 idle threads, KiB each", "the same after malloc_trim"].map { figure in
        try Self.measure(figure, [item])?.isMet
      }
    }
    #expect(try measure((64, 64), tcmalloc: 400) == [true, true])
    #expect(try measure((65, 64), tcmalloc: 400) == [false, true])
    #expect(try measure((40, 41), tcmalloc: 40) == [true, false])
  }

  @Test func oneSlowCallMissesAGoal() throws {
    let items = [
      SampleComparison.stall("frees-64MiB", ["heaplab": 1_000_000]),
      SampleComparison.stall("beside-small-frees", ["heaplab": 39_000_000]),
    ]
    #expect(try Self.measure("slowest free, any order, processor time", items)?.isMet == true)
    #expect(try Self.measure("slowest call beside another's frees", items)?.isMet == true)
    #expect(try Self.measure("the same, as far as it should come", items)?.isMet == false)
    let slow = SampleComparison.stall("frees-in-order-512MiB", ["heaplab": 1_000_001])
    let measured = try #require(try Self.measure("slowest free, any order, processor time", items + [slow]))
    #expect(!measured.isMet && measured.place == "worst: frees-in-order-512MiB")
    var dead = slow
    dead.runs["heaplab"] = AllocatorRuns(failure: "ended by signal 6")
    #expect(try Self.measure("slowest free, any order, processor time", items + [dead])?.isMet == false)
  }

  @Test func eightThreadsAreMeasuredByWhatOneDoes() throws {
    // 8 threads: heaplab takes 3 times as long as one, tcmalloc twice as long.
    let one = SampleComparison.speed("replace-40-400KB-1", ["heaplab": [10], "tcmalloc": [100]])
    let eight = SampleComparison.speed("replace-40-400KB-8", ["heaplab": [30], "tcmalloc": [200]])
    let measured = try #require(try Self.measure("40 to 400 kB, 8 threads ÷ 1 thread", [one, eight]))
    #expect(!measured.isMet && measured.value == 1.5 && measured.place == "0.333 of one, tcmalloc 0.500")
    #expect(try Self.measure("40 to 400 kB, 8 threads ÷ 1 thread", [one]) == nil)
  }
}
