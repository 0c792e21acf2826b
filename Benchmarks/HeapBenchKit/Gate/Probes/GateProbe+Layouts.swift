// Where a policy places blocks: the fragmentation figures of every profile and trace. The replay depends only on the
// workload and the policy. The figures are the same on every machine and have no tolerance.

extension GateProbe {
  /// The layout of every workload under every policy that receives its memory.
  static func layouts(of workloads: WorkloadCatalog) -> [GateProbe] {
    GateCatalog.policies.flatMap { policy in
      workloads.sources.map { source in
        let figures = LayoutFigure.all.map { figure in
          GateFigure(
            "layout/\(policy.name)/\(source.name)/\(figure.name)", .exact, better: figure.better, dependsOn: [])
        }
        return GateProbe("layout: \(policy.name) \(source.name)", figures) { workbench in
          let process = MeasurementProcess(executable: try workbench.built("heapbench", product: "heapbench"))
          // A trace may be of any length: its steps are read as they are replayed.
          let plan =
            try source.kind == .trace
            ? ReplayPlan(streaming: TraceFile(path: source.path)) : ReplayPlan(source.workload(seed: 1))
          var request = MeasurementRequest(
            policy: policy.name, workload: plan.name, facts: plan.facts,
            stepsPath: plan.trace?.path ?? plan.steps.path, passes: [.layout])
          request.isTrace = plan.trace != nil
          guard let layout = try await process.measure(request).layout else {
            throw GateObstacle("policy '\(policy.name)' shows no layout of '\(plan.name)'")
          }
          return LayoutFigure.all.map { $0.value(layout).figure }
        }
      }
    }
  }
}

/// One number of a layout. A figure that changes over time is the mean over the sampled moments, in which a difference
/// at any of them shows.
private struct LayoutFigure: Sendable {
  let name: String
  var better = GateFigure.Direction.less
  let value: @Sendable (LayoutReport) -> Double

  static func mean(
    _ name: String, better: GateFigure.Direction = .less, _ value: @escaping @Sendable (LayoutSample) -> Double
  ) -> LayoutFigure {
    LayoutFigure(name: name, better: better) { report in
      report.samples.reduce(0) { $0 + value($1) } / Double(report.samples.count)
    }
  }

  static let all = [
    LayoutFigure(name: "peak-heap-bytes") { Double($0.peakHeapByteCount) },
    LayoutFigure(name: "blow-up") { $0.blowUpOverOracle },
    LayoutFigure(name: "internal-waste") { $0.internalWaste },
    LayoutFigure(name: "forced-growth") { $0.forcedGrowthShare },
    LayoutFigure(name: "worst-external-fragmentation") { $0.worstSample.externalFragmentation },
    mean("external-fragmentation") { $0.externalFragmentation },
    mean("fragmentation") { $0.fragmentation },
    mean("fragmentation-over-sizes") {
      $0.fragmentationCurve.reduce(0, +) / Double(max(1, $0.fragmentationCurve.count))
    },
    mean("fragmentation-index") { $0.fragmentationIndex },
    mean("unusable-free-space") { $0.unusableFreeSpace },
    mean("window-fill", better: .more) {
      $0.windowFills.reduce(0) { $0 + $1.percentile5 } / Double(max(1, $0.windowFills.count))
    },
    mean("free-bytes") { Double($0.freeByteCount) },
    mean("largest-free-bytes", better: .neither) { Double($0.largestFreeByteCount) },
    mean("holes") { Double($0.holeCount) },
    mean("checkerboard") { $0.checkerboard },
    mean("gini", better: .neither) { $0.gini },
    mean("entropy-bits") { $0.entropyBits },
  ]
}
