/// A measurement compared with a baseline: a verdict on every figure, and one on all of them.
public struct GateReport: Sendable {
  /// The figures in the order of the catalog, then those that only the baseline has.
  let rows: [GateRow]

  /// The traits that chosen figures depend on and that differ from the baseline's machine, with both values.
  let differences: [(trait: GateMachine.Trait, baseline: String, now: String)]

  /// Compares the measurement of `job` with `baseline`.
  public init(_ job: GateJob, _ measurement: GateMeasurement, against baseline: GateBaseline) {
    let machine = measurement.machine
    var rows = job.figures.map { figure in
      let old = baseline.figures[figure.name]
      var row = GateRow(name: figure.name, tolerance: figure.tolerance, baseline: old, now: nil, verdict: .unmeasured)
      switch measurement.outcomes[figure.name] {
      case .success(let now):
        let verdict: GateVerdict =
          if let old {
            machine.differences(from: baseline.machine, in: figure.traits).isEmpty
              ? GateVerdict(figure, baseline: old, now: now) : .foreign
          } else {
            .new
          }
        row = GateRow(name: figure.name, tolerance: figure.tolerance, baseline: old, now: now, verdict: verdict)
      case .failure(let obstacle):
        row.verdict = obstacle.isNoise ? .undecided : .unmeasured
        row.obstacle = obstacle
      case nil: row.obstacle = GateObstacle("nothing measured it")
      }
      return row
    }
    let known = Set(rows.map(\.name))
    for name in baseline.figures.keys.sorted() where !known.contains(name) && job.chooses(name) {
      rows.append(GateRow(name: name, baseline: baseline.figures[name], verdict: .unknown))
    }
    self.rows = rows
    let traits = job.figures.reduce(into: Set()) { $0.formUnion($1.traits) }
    differences = machine.differences(from: baseline.machine, in: traits).map { trait in
      (trait, baseline.machine[trait] ?? "absent", machine[trait] ?? "absent")
    }
  }

  /// Whether a figure is worse than its tolerance allows.
  public var hasRegressed: Bool { rows.contains { $0.verdict.isRegression } }

  /// Whether there is a figure without a baseline, or the other way round.
  public var isIncomplete: Bool { rows.contains { $0.verdict.isIncomplete } }

  /// Whether there is a time that other work on the machine kept from settling.
  public var isUndecided: Bool { rows.contains { $0.verdict == .undecided } }

  func rows(_ verdict: GateVerdict) -> [GateRow] { rows.filter { $0.verdict == verdict } }
}
