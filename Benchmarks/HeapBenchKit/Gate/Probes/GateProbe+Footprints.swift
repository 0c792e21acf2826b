/// A footprint pattern of heapbench-driver, and the tolerances of its figures.
private struct Footprint: Sendable {
  let workload: String
  var peakTolerance = GateTolerance.percent(3)
  /// Nil for a pattern whose resident bytes at the end are of no interest.
  var endTolerance: GateTolerance?
  /// The number of runs; the figures are medians.
  var runCount = 1

  // The clock decides when memory is purged. Where much memory is freed and taken again, the figures vary between runs.
  static let all = [
    Footprint(workload: "sawtooth", peakTolerance: .percent(40), endTolerance: .percent(60), runCount: 3),
    Footprint(workload: "one-size-phases"),
    Footprint(workload: "medium-churn", endTolerance: .percent(3)),
    Footprint(workload: "survivors-1-in-1000", endTolerance: .percent(10)),
    Footprint(workload: "survivors-1-in-100", endTolerance: .percent(60)),
    Footprint(workload: "return-after-idle", endTolerance: .percent(10)),
    Footprint(workload: "vectors", endTolerance: .percent(15)),
    Footprint(workload: "hand-off", peakTolerance: .percent(10), endTolerance: .percent(10)),
    Footprint(workload: "short-threads", peakTolerance: .percent(60), runCount: 3),
    Footprint(workload: "small-heaps-1x256", peakTolerance: .percent(10)),
    Footprint(workload: "small-heaps-8x256", peakTolerance: .percent(20), runCount: 3),
    Footprint(workload: "small-heaps-64x256", peakTolerance: .percent(20), runCount: 3),
  ]

  /// The figures: at the peak, and at the end where that is of interest.
  var figures: [GateFigure] {
    let name = "footprint/\(workload)"
    let peak = GateFigure("\(name)/peak-resident-per-live", peakTolerance, dependsOn: GateProbe.runTraits)
    return [peak]
      + (endTolerance.map {
        [GateFigure("\(name)/end-resident-per-live", $0, dependsOn: GateProbe.runTraits)]
      } ?? [])
  }

  /// The numbers of one run, in the order of the figures.
  func ratios(by driver: MallocDriver, library: String) async throws -> [Double] {
    let answer = try await driver.run(workload, library: library)
    let peak = (answer.peakResidentByteCount, answer.peakLiveByteCount)
    let end = (answer.endResidentByteCount, answer.endLiveByteCount)
    return try (endTolerance == nil ? [peak] : [peak, end]).map { resident, live in
      guard let resident, let live, live > 0 else {
        throw GateObstacle("heapbench-driver run \(workload) tells of no live bytes; build all products alike")
      }
      return (resident / live).thousandths
    }
  }
}

extension GateProbe {
  /// Resident over live bytes of the patterns under the preload, at the peak and at the end.
  static var footprints: [GateProbe] {
    Footprint.all.map { footprint in
      GateProbe("footprint: \(footprint.workload)", footprint.figures, isAlone: true) { workbench in
        let driver = MallocDriver(workbench: workbench)
        var runs: [[Double]] = []
        for _ in 0..<footprint.runCount {
          runs.append(try await footprint.ratios(by: driver, library: workbench.library))
        }
        return runs[0].indices.map { index in runs.map { $0[index] }.sorted()[footprint.runCount / 2] }
      }
    }
  }
  /// The KiB that each of many idle threads keeps under the preload, before and after `malloc_trim(0)`.
  static var idleThreads: GateProbe {
    let figures = ["kib-per-thread", "kib-per-thread-after-trim"].map {
      GateFigure("footprint/idle-threads/\($0)", .percent(5, orAtLeast: 4), dependsOn: runTraits)
    }
    return GateProbe("footprint: idle-threads", figures, isAlone: true) { workbench in
      let answer = try await MallocDriver(workbench: workbench).run("idle-threads", library: workbench.library)
      return try [answer.idleResidentByteCount, answer.trimmedResidentByteCount].map { byteCount in
        guard let byteCount else {
          throw GateObstacle("heapbench-driver run idle-threads tells of no idle threads; build all products alike")
        }
        return (byteCount / 1024 / answer.threads).hundredths
      }
    }
  }
}
