/// A hot path of the preload: a workload of heapbench-driver, and how to count it.
private struct MallocPath: Sendable {
  let workload: String
  var operationCount = 20_000
  var tolerance = GateTolerance.percent(2)
  /// The number of runs; the figure is their median.
  var runCount = 1

  static let all = [
    MallocPath(workload: "pairs-64"), MallocPath(workload: "pairs-16-512"), MallocPath(workload: "lifo-16-512"),
    MallocPath(workload: "fifo-16-512"), MallocPath(workload: "slots-16-512"), MallocPath(workload: "calloc-256"),
    MallocPath(workload: "aligned-64"), MallocPath(workload: "pairs-4KiB"), MallocPath(workload: "pairs-64KiB"),
    MallocPath(workload: "pairs-2MiB", operationCount: 2000),
    MallocPath(workload: "vectors-1MiB", operationCount: 50, tolerance: .percent(3)),
    // With two threads, it varies between runs which of them waits for the other.
    MallocPath(workload: "remote-frees", operationCount: 100_000, tolerance: .percent(15), runCount: 3),
  ]
}

extension GateProbe {
  /// The instructions for each operation, on the hot paths of the preload.
  static var mallocPaths: [GateProbe] {
    MallocPath.all.map { path in
      let figure = GateFigure("instructions/malloc/\(path.workload)", path.tolerance, dependsOn: countTraits)
      return GateProbe("instructions: malloc \(path.workload)", [figure]) { workbench in
        let driver = MallocDriver(workbench: workbench)
        var counts: [Double] = []
        for _ in 0..<path.runCount {
          counts.append(try await driver.instructionCount(path.workload, operationCount: path.operationCount))
        }
        return [counts.sorted()[path.runCount / 2].hundredths]
      }
    }
  }
}
