import Testing

@testable import HeapBenchKit

@Suite struct GoalTests {
  private static func goal(_ figure: String) throws -> Goal {
    try #require(Goal.all.first { $0.figure == figure })
  }

  @Test func theWorstWorkloadDecides() throws {
    let goal = try Self.goal("every speed workload")
    let good = SampleComparison.speed("pairs-16", ["glibc": [10], "heaplab": [5]])
    let even = SampleComparison.speed("pairs-64", ["glibc": [10], "heaplab": [9]])
    let slow = SampleComparison.speed("pairs-512", ["glibc": [100], "heaplab": [91]])
    let met = try #require(goal.evaluate(SampleComparison.report([good, even])))
    #expect(met.isMet && met.value == 0.9)
    let missed = try #require(goal.evaluate(SampleComparison.report([good, slow, even])))
    #expect(!missed.isMet && missed.value == 0.91 && missed.place == "worst: pairs-512")
  }

  @Test func sumsOverAFewWorkloadsAreNotMeasured() throws {
    let item = SampleComparison.speed("pairs-16", ["glibc": [10], "heaplab": [5]])
    #expect(try Self.goal("every speed workload").evaluate(SampleComparison.report([item], isWhole: false)) == nil)
  }

  @Test func theFastestPeerOfEachWorkloadCounts() throws {
    let report = SampleComparison.report([
      SampleComparison.speed("a", ["glibc": [10], "heaplab": [8], "tcmalloc": [40]]),
      SampleComparison.speed("b", ["glibc": [40], "heaplab": [8], "tcmalloc": [5]]),
    ])
    let measured = try #require(try Self.goal("geometric mean of speed").evaluate(report))
    #expect(abs(measured.value - (0.8 * 1.6).squareRoot()) < 1e-12)
    #expect(!measured.isMet && measured.place == "tcmalloc: 2.00")
  }

  @Test func aMissingPeerIsNotAGoalMet() throws {
    let item = SampleComparison.speed("own-batches", ["glibc": [10], "heaplab": [1]])
    #expect(try Self.goal("two threads, own batches").evaluate(SampleComparison.report([item])) == nil)
  }

  @Test func failingMeetsNoGoal() throws {
    var item = SampleComparison.speed("own-batches", ["glibc": [10], "tcmalloc": [10]])
    item.runs["heaplab"] = AllocatorRuns(failure: "ended by signal 6")
    let measured = try #require(try Self.goal("two threads, own batches").evaluate(SampleComparison.report([item])))
    #expect(!measured.isMet && measured.place == "failed: own-batches")
    let text = GoalTable(SampleComparison.report([item])).text(style: TerminalStyle(columnCount: 100, hasColour: false))
    #expect(text.contains("two threads, own batches"))
    #expect(text.contains("0 met, 4 missed"), "\(text)")
  }

  @Test func leanerThanEveryPeerMeansBelowTheLeast() throws {
    let goal = try Self.goal("peak ÷ live, mean of footprints")
    func measure(_ heaplab: Int) throws -> Goal.Measured {
      try #require(
        goal.evaluate(
          SampleComparison.report([
            SampleComparison.footprint("sawtooth", ["glibc": (130, 0), "heaplab": (heaplab, 0), "tcmalloc": (120, 0)])
          ])))
    }
    #expect(try measure(119).isMet)
    #expect(try !measure(120).isMet)
    #expect(try measure(120).place == "tcmalloc: 1.20")
  }

  @Test func survivorsAreJudgedAtTheEnd() throws {
    let item = SampleComparison.footprint("survivors-1-in-1000", ["heaplab": (101, 1201)])
    let measured = try #require(
      try Self.goal("survivors, 1 in 1,000 of 0.5–20 KiB").evaluate(SampleComparison.report([item])))
    #expect(measured.value == 12.01 && !measured.isMet)
  }

  @Test func everyGoalNamesWorkloadsOfTheDriver() async throws {
    let workloads = try await DriverProcess(path: BuiltDriver.path).workloads() + [("start of true", .start)]
    let latency = SampleComparison.callLatency(1)
    let figures = SampleComparison.run(
      10, peak: (1, 1), end: (1, 1), idle: (1, 1), slowest: 1, latency: (latency, latency))
    let runs = ["glibc", "heaplab", "jemalloc", "mimalloc", "tcmalloc"].map { ($0, AllocatorRuns(figures: [figures])) }
    var report = SampleComparison.report(
      workloads.map { workload in
        var item = ComparedItem(name: workload.name, kind: workload.kind)
        item.runs = Dictionary(uniqueKeysWithValues: runs)
        return item
      })
    report.instructions["heaplab"] = 45
    for goal in Goal.all where !goal.figure.contains("mean of footprints") && !goal.figure.contains("programs") {
      #expect(goal.evaluate(report) != nil, "\(goal.figure)")
    }
  }

  @Test func aSmallerPatternNeitherMeetsNorMissesABarForTheFullOne() throws {
    var report = SampleComparison.report([
      SampleComparison.footprint("medium-churn", ["glibc": (130, 0), "heaplab": (400, 0)]),
      SampleComparison.speed("pairs-2MiB", ["glibc": [10], "heaplab": [9]]),
    ])
    let style = TerminalStyle(columnCount: 120, hasColour: false)
    let goals = Goal.all.filter { ["churn of 4–256 KiB, 400 MB live", "pairs of 2 MiB"].contains($0.figure) }
    #expect(GoalTable(report, goals: goals).text(style: style).hasSuffix("\n0 met, 2 missed\n"))
    report.patternPercent = 25
    let text = GoalTable(report, goals: goals).text(style: style)
    #expect(text.contains("4.00  not comparable"), "\(text)")
    #expect(
      text.hasSuffix("\n0 met, 1 missed, 1 not comparable, since the patterns were smaller than the bar's\n"), "\(text)"
    )
  }
}
