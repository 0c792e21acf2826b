/// A run of the gate, with every probe that has a chosen figure. Probes whose counts no load changes run first, two at
/// a time. Then those that must be alone run one by one.
public struct GateJob: Sendable {
  private let probes: [GateProbe]
  private let names: [String]

  /// A job for the figures that `names` choose, or for all figures without names.
  ///
  /// - Throws: ``GateObstacle`` for a name that chooses no figure of the catalog or the baseline.
  public init(
    _ catalog: GateCatalog, choosing names: [String], besides baseline: GateBaseline?
  ) throws(GateObstacle) {
    for name in names {
      let known = catalog.figures.map(\.name) + (baseline.map { Array($0.figures.keys) } ?? [])
      guard !known.contains(where: { GateFigure.isName($0, chosenBy: name) }) else { continue }
      let parts = known.flatMap { $0.split(separator: "/").map(String.init) + [$0] }
      let groups = Set(known.compactMap { $0.split(separator: "/").first.map(String.init) }).sorted()
      let suggestion = Spelling.suggestion(for: name, among: Set(parts).sorted())
      let rest = suggestion.isEmpty ? "; the groups are \(groups.joined(separator: ", "))" : suggestion
      throw GateObstacle("no figure is called '\(name)'\(rest)")
    }
    self.names = names
    probes = catalog.probes.filter { probe in
      names.isEmpty || probe.figures.contains { figure in names.contains { figure.isChosen(by: $0) } }
    }
  }

  /// The chosen figures.
  public var figures: [GateFigure] {
    probes.flatMap(\.figures).filter { figure in names.isEmpty || names.contains { figure.isChosen(by: $0) } }
  }

  /// Whether the job's names choose a figure of a baseline.
  func chooses(_ name: String) -> Bool {
    names.isEmpty || names.contains { GateFigure.isName(name, chosenBy: $0) }
  }

  /// Runs the probes. When one fails, only its own figures are missing.
  ///
  /// - Throws: ``GateObstacle`` when no working folder can be made, and `CancellationError`.
  public func run(progress: any ProgressMeter) async throws -> GateMeasurement {
    let workbench = try GateWorkbench()
    var outcomes: [GateOutcome] = []
    progress.begin(weights: probes.map { $0.isAlone ? 3 : 1 })
    defer { progress.end() }
    outcomes += await Self.measure(
      probes.filter { !$0.isAlone }, atOnce: 2, on: workbench, progress: progress)
    outcomes += await Self.measure(
      probes.filter(\.isAlone), atOnce: 1, on: workbench, progress: progress)
    try Task.checkCancellation()
    let machine = await GateMachine.current(on: workbench)
    return GateMeasurement(outcomes: Dictionary(uniqueKeysWithValues: outcomes), machine: machine)
  }

  /// The times that measure worse than the baseline allows are measured again, at most twice: a heap that got slower is
  /// slower every time, and one that other work slowed down is not.
  ///
  /// - Throws: As ``run(progress:)``.
  public func confirmingTimes(
    _ measurement: GateMeasurement, against baseline: GateBaseline, progress: any ProgressMeter
  ) async throws -> GateMeasurement {
    let times = Set(figures.filter(\.isTime).map(\.name))
    var measurement = measurement
    for _ in 0..<2 {
      let worse = GateReport(self, measurement, against: baseline).rows(.worse).map(\.name).filter(times.contains)
      guard !worse.isEmpty else { break }
      let again = try await GateJob(
        probes: probes.filter { probe in probe.figures.contains { worse.contains($0.name) } }, names: worse
      ).run(progress: progress)
      for name in worse { measurement.outcomes[name] = again.outcomes[name] }
    }
    return measurement
  }

  private init(probes: [GateProbe], names: [String]) {
    self.probes = probes
    self.names = names
  }

  private typealias GateOutcome = (String, Result<Double, GateObstacle>)

  private static func measure(
    _ probes: [GateProbe], atOnce count: Int, on workbench: GateWorkbench, progress: any ProgressMeter
  ) async -> [GateOutcome] {
    await withTaskGroup(of: [GateOutcome].self) { group in
      var waiting = probes.makeIterator()
      func start() {
        guard let probe = waiting.next(), !Task.isCancelled else { return }
        progress.show(probe.name)
        group.addTask { await outcomes(of: probe, on: workbench) }
      }
      for _ in 0..<count { start() }
      var measured: [GateOutcome] = []
      while let more = await group.next() {
        measured += more
        progress.completeWorkload()
        start()
      }
      return measured
    }
  }

  private static func outcomes(of probe: GateProbe, on workbench: GateWorkbench) async -> [GateOutcome] {
    let obstacle: GateObstacle
    do {
      let values = try await probe.measure(workbench)
      precondition(values.count == probe.figures.count, "a probe must give a number for each of its figures")
      return zip(probe.figures, values).map { ($0.name, .success($1)) }
    } catch let error as GateObstacle {
      obstacle = error
    } catch {
      obstacle = GateObstacle("\(error)")
    }
    return probe.figures.map { ($0.name, .failure(obstacle)) }
  }
}

/// The result of a job.
public struct GateMeasurement: Sendable {
  /// The number of every figure, or why there is none.
  fileprivate(set) var outcomes: [String: Result<Double, GateObstacle>]

  /// The machine and the build of the measurement.
  let machine: GateMachine

  init(outcomes: [String: Result<Double, GateObstacle>], machine: GateMachine) {
    self.outcomes = outcomes
    self.machine = machine
  }

  /// The numbers that were measured.
  var figures: [String: Double] { outcomes.compactMapValues { try? $0.get() } }
}
