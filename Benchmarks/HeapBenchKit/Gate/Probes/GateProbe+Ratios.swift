import CLabBench

// Times differ from run to run. The gate measures them only as a ratio to a peer that runs in turn with the measured
// code, in processor time, until the rounds agree, and with a wide tolerance. A ratio of two mallocs can be compared on
// any machine, wherever the baseline was measured. That of first fit to a list can not: the list's walk is bound by the
// caches, the search by instructions. On a machine with too much other work the figure is undecided, instead of wrong.

extension GateProbe {
  /// The least share of a processor that both sides of a round must get.
  private static let shareMinimum = 0.3

  private static let ratioTolerance = GateTolerance.percent(50)

  /// The time of the preload over that of the system's malloc, and of first fit over that of a list of holes.
  static var ratios: [GateProbe] {
    let workloads = ["pairs-64", "pairs-16-512", "pairs-32KiB", "lifo-16-512", "slots-16-512", "calloc-256"]
    return workloads.map { workload in
      let figure = GateFigure(
        "ratio/malloc-to-glibc/\(workload)", ratioTolerance, isTime: true, dependsOn: [.build])
      return GateProbe("ratio: malloc to glibc, \(workload)", [figure], isAlone: true) { workbench in
        [try await mallocRatio(workload, on: workbench).figure]
      }
    } + [holes]
  }

  private static func mallocRatio(_ workload: String, on workbench: GateWorkbench) async throws -> Double {
    let driver = MallocDriver(workbench: workbench)
    let library = try workbench.library
    var rounds = QuietRounds(agreeing: 9, atMost: 45)
    while true {
      var times: [Double] = []
      var share = 1.0
      for library in [library, nil] {
        let answer = try await driver.run(workload, ["--operations", "3000000"], library: library)
        share = min(share, answer.processorNanoseconds / answer.nanoseconds)
        times.append(answer.processorNanoseconds)
      }
      if let ratio = try rounds.median(after: share >= shareMinimum ? times[0] / times[1] : nil) { return ratio }
    }
  }

  private static var holes: GateProbe {
    let holeCounts = [1000, 10_000]
    let figures = holeCounts.map {
      GateFigure(
        "ratio/firstfit-to-list/holes-\($0)", ratioTolerance, isTime: true, dependsOn: [.build, .processor])
    }
    return GateProbe("ratio: first fit to a list of holes", figures, isAlone: true) { _ in
      try holeCounts.map { holeCount in
        // Each curve is a median of its own rounds already.
        var rounds = QuietRounds(agreeing: 3, atMost: 9)
        while true {
          if let ratio = try rounds.median(after: try holeRatio(holeCount)) { return ratio.figure }
        }
      }
    }
  }

  /// The time of first fit over the list's; nil when this thread got too little of a processor.
  private static func holeRatio(_ holeCount: Int) throws -> Double? {
    let start = (lab_clock_nanoseconds(), lab_clock_thread_nanoseconds())
    let curve = try HoleCurve.measure(seed: 1, holeCounts: [holeCount], progress: NoProgress())
    let share = Double(lab_clock_thread_nanoseconds() - start.1) / Double(max(1, lab_clock_nanoseconds() - start.0))
    guard let ours = curve.nanoseconds("firstfit", holeCount: holeCount),
      let list = curve.nanoseconds(PolicyCatalog.plainList, holeCount: holeCount)
    else { throw CancellationError() }
    return share >= shareMinimum ? ours / list : nil
  }
}
