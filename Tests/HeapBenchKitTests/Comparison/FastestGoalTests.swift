import Testing

@testable import HeapBenchKit

/// The goals beside the fastest allocators.
@Suite struct FastestGoalTests {
  private static func measure(_ figure: String, _ items: [ComparedItem]) throws -> Goal.Measured? {
    try #require(Goal.fastest.first { $0.figure == figure }).evaluate(SampleComparison.report(items))
  }

  @Test func theNamedPeerSetsTheBar() throws {
    let item = SampleComparison.speed(
      "cold-frees-16-512", ["glibc": [90], "heaplab": [45], "tcmalloc": [40], "snmalloc": [45]])
    let measured = try #require(try Self.measure("200,000 live blocks, cold", [item]))
    #expect(measured.isMet && measured.value == 1 && measured.place == "cold-frees-16-512 beside snmalloc")
  }

  @Test func anotherOneTakesThePlaceOfAPeerThatIsMissing() throws {
    let item = SampleComparison.speed("cold-frees-16-512", ["glibc": [30], "heaplab": [50], "tcmalloc": [40]])
    let measured = try #require(try Self.measure("200,000 live blocks, cold", [item]))
    #expect(!measured.isMet && measured.value == 1.25 && measured.place == "cold-frees-16-512 beside tcmalloc")
    let alone = SampleComparison.speed("cold-frees-16-512", ["glibc": [90], "heaplab": [50]])
    #expect(try Self.measure("200,000 live blocks, cold", [alone]) == nil, "glibc sets no such bar")
  }

  @Test func theWorstWorkloadBesideItsFastestPeerCounts() throws {
    let items = [
      SampleComparison.speed("pairs-16", ["glibc": [10], "heaplab": [23], "tcmalloc": [20]]),
      SampleComparison.speed("usable-size-hot", ["glibc": [10], "heaplab": [12], "tcmalloc": [20]]),
    ]
    let measured = try #require(try Self.measure("every speed workload, beside all", items))
    #expect(!measured.isMet && measured.value == 2.3 && measured.place == "pairs-16 beside glibc")
    let rest = try #require(try Self.measure("every speed workload, beside all", [items[1]]))
    #expect(!rest.isMet && rest.value == 1.2)
    let glibcs = try #require(Goal.all.first { $0.figure == "every speed workload" })
    #expect(glibcs.evaluate(SampleComparison.report(items))?.value == 2.3, "usable sizes have a goal of their own")
  }

  @Test func noPageFaultIsAsGoodAsOne() throws {
    func pipeline(_ name: String, faults: [String: Int]) -> ComparedItem {
      var item = ComparedItem(name: name, kind: .speed)
      item.runs = faults.mapValues { AllocatorRuns(figures: [SampleComparison.run(10, faults: $0)]) }
      return item
    }
    let none = pipeline("pipeline-64-8", faults: ["heaplab": 0, "snmalloc": 0])
    let twice = pipeline("pipeline-16-512-8", faults: ["heaplab": 6, "snmalloc": 3])
    let more = pipeline("pipeline-16-512-8", faults: ["heaplab": 7, "snmalloc": 3])
    #expect(try Self.measure("page faults of pipelines, 8 threads", [none, twice])?.isMet == true)
    #expect(try Self.measure("page faults of pipelines, 8 threads", [none, more])?.isMet == false)
  }

  @Test func theTailOfMallocHasABarAndAnAim() throws {
    let item = SampleComparison.latency(["glibc": 1, "heaplab": 30, "rpmalloc": 30, "mimalloc": 20])
    #expect(try Self.measure("malloc p99.99, small mix", [item])?.isMet == true)
    let aim = try #require(try Self.measure("the same, as far as it should come", [item]))
    #expect(!aim.isMet && aim.value == 1.5 && aim.place == "latency-16-512 beside mimalloc")
  }

  @Test func aTrivialProcessMayTakeALittleMoreThanGlibcs() throws {
    func measure(_ heaplab: Int) throws -> Goal.Measured? {
      try Self.measure("trivial process, KiB", [SampleComparison.process(["glibc": 1000, "heaplab": heaplab])])
    }
    #expect(try measure(1150)?.isMet == true)
    #expect(try measure(1151)?.isMet == false)
    #expect(try measure(1151)?.place == "glibc: 1000")
  }

  @Test func failingMeetsNoneOfThem() throws {
    var items = [
      SampleComparison.speed("cold-frees-16-512", ["glibc": [90], "snmalloc": [45]]),
      SampleComparison.process(["glibc": 1000]),
    ]
    for index in items.indices { items[index].runs["heaplab"] = AllocatorRuns(failure: "ended by signal 6") }
    for figure in ["200,000 live blocks, cold", "geometric mean of speed", "trivial process, KiB"] {
      #expect(try Self.measure(figure, items)?.isMet == false, "\(figure)")
    }
  }
}
