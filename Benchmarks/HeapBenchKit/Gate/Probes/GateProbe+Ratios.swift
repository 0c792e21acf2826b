import CLabBench

// Times differ from run to run. The gate measures them only as a ratio to a peer that runs in turn with the measured
// code, in processor time, as a median of rounds, and with a wide tolerance. A ratio of two mallocs can be compared on any
// machine, wherever the baseline was measured. That of first fit to a list can not: the list's walk is bound by the
// caches, the search by instructions. On a machine with too much load there is no ratio, instead of an unstable one.

extension GateProbe {
  /// The least share of a processor that both sides of a round must get.
  private static let shareMinimum = 0.3

  /// The number of good rounds for a median, and the number of rounds after which the probe gives up.
  private static let (roundCount, roundCountMaximum) = (9, 27)

  private static let ratioTolerance = GateTolerance.percent(50)

  /// The time of the preload over that of the system's malloc, and of first fit over that of a list of holes.
  static var ratios: [GateProbe] {
    let workloads = ["pairs-64", "pairs-16-512", "pairs-32KiB", "lifo-16-512", "slots-16-512", "calloc-256"]
    return workloads.map { workload in
      let figure = GateFigure("ratio/malloc-to-glibc/\(workload)", ratioTolerance, dependsOn: [.build])
      return GateProbe("ratio: malloc to glibc, \(workload)", [figure], isAlone: true) { workbench in
        [try await mallocRatio(workload, on: workbench).figure]
      }
    } + [holes]
  }

  private static func mallocRatio(_ workload: String, on workbench: GateWorkbench) async throws -> Double {
    let driver = MallocDriver(workbench: workbench)
    let library = try workbench.library
    var ratios: [Double] = []
    var shares: [Double] = []
    while ratios.count < roundCount {
      guard shares.count < roundCountMaximum else { throw tooLoaded(shares.median) }
      var times: [Double] = []
      var share = 1.0
      for library in [library, nil] {
        let answer = try await driver.run(workload, ["--operations", "3000000"], library: library)
        share = min(share, answer.processorNanoseconds / answer.nanoseconds)
        times.append(answer.processorNanoseconds)
      }
      shares.append(share)
      if share >= shareMinimum { ratios.append(times[0] / times[1]) }
    }
    return ratios.sorted()[roundCount / 2]
  }

  private static var holes: GateProbe {
    let holeCounts = [1000, 10_000]
    let figures = holeCounts.map {
      GateFigure("ratio/firstfit-to-list/holes-\($0)", ratioTolerance, dependsOn: [.build, .processor])
    }
    return GateProbe("ratio: first fit to a list of holes", figures, isAlone: true) { _ in
      for _ in 0..<3 {
        let start = (lab_clock_nanoseconds(), lab_clock_thread_nanoseconds())
        let curve = try HoleCurve.measure(seed: 1, holeCounts: holeCounts, progress: NoProgress())
        let share =
          Double(lab_clock_thread_nanoseconds() - start.1) / Double(max(1, lab_clock_nanoseconds() - start.0))
        guard share >= shareMinimum else { continue }
        return try holeCounts.map { count in
          guard let ours = curve.nanoseconds("firstfit", holeCount: count),
            let list = curve.nanoseconds("list", holeCount: count)
          else { throw CancellationError() }
          return (ours / list).figure
        }
      }
      throw tooLoaded(nil)
    }
  }

  private static func tooLoaded(_ share: Double?) -> GateObstacle {
    let measured = share.map { "got \(Figure.percent($0))" } ?? "got less than \(Figure.percent(shareMinimum))"
    return GateObstacle(
      "this machine is too loaded for ratios of times, as what was measured \(measured) of a processor: "
        + "run 'heapbench gate --only ratio' when it is idle")
  }
}
