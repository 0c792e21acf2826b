import Synchronization
import Testing

@testable import HeapBenchKit

/// Which probes run for which names, and what happens when one fails.
@Suite struct GateJobTests {
  private static let catalog = GateCatalog(
    probes: [
      GateProbe("one: a", [figure("group/one/a"), figure("group/one/b")]) { _ in [1, 2] },
      GateProbe("two: a", [figure("group/two/a")], isAlone: true) { _ in throw GateObstacle("no two today") },
      GateProbe("other: c", [figure("other/c")]) { _ in throw MeasurementFailure("policy 'c' ended") },
    ])

  private static func figure(_ name: String) -> GateFigure { GateFigure(name, .exact, dependsOn: []) }

  private func names(_ chosen: String...) throws -> [String] {
    try GateJob(Self.catalog, choosing: chosen, besides: nil).figures.map(\.name)
  }

  @Test func namesChooseByWholeParts() throws {
    #expect(try names() == ["group/one/a", "group/one/b", "group/two/a", "other/c"])
    #expect(try names("group/one") == ["group/one/a", "group/one/b"])
    #expect(try names("a") == ["group/one/a", "group/two/a"])
    #expect(try names("one/b", "other") == ["group/one/b", "other/c"])
  }

  @Test func aNameThatChoosesNothingGetsASuggestion() {
    #expect(throws: GateObstacle("no figure is called 'groop'; did you mean 'group'?")) { try names("groop") }
    #expect(throws: GateObstacle("no figure is called 'qqqqqq'; the groups are group, other")) { try names("qqqqqq") }
    #expect(throws: GateObstacle.self) { try names("") }
    #expect(throws: GateObstacle.self, "half a part is no part") { try names("grou") }
  }

  @Test func aNameThatOnlyTheBaselineKnowsIsForTheReport() throws {
    let baseline = GateBaseline(figures: ["gone/x": 1, "other/c": 2], machine: GateMachine(traits: [:]))
    let job = try GateJob(Self.catalog, choosing: ["gone"], besides: baseline)
    #expect(job.figures.isEmpty)
    let measurement = GateMeasurement(outcomes: [:], machine: GateMachine(traits: [:]))
    let report = GateReport(job, measurement, against: baseline)
    #expect(report.rows.map(\.name) == ["gone/x"])
    #expect(report.isIncomplete)
  }

  @Test func aProbeThatFailsIsAnObstacleToItsOwnFigures() async throws {
    let job = try GateJob(Self.catalog, choosing: [], besides: nil)
    let measurement = try await job.run(progress: NoProgress())
    #expect(measurement.figures == ["group/one/a": 1, "group/one/b": 2])
    #expect(measurement.outcomes["group/two/a"] == .failure(GateObstacle("no two today")))
    #expect(measurement.outcomes["other/c"] == .failure(GateObstacle("policy 'c' ended")))
  }

  @Test func aRenewalIsWholeOrNothing() async throws {
    let all = try GateJob(Self.catalog, choosing: [], besides: nil)
    let measurement = try await all.run(progress: NoProgress())
    #expect(throws: GateObstacle.self) { try measurement.renewing(nil, of: all, isWhole: true) }
    let one = try GateJob(Self.catalog, choosing: ["one"], besides: nil)
    let part = GateMeasurement(
      outcomes: measurement.outcomes.filter { $0.key.contains("one") }, machine: measurement.machine)
    let old = GateBaseline(figures: ["group/one/a": 9, "other/c": 7], machine: measurement.machine)
    #expect(
      try part.renewing(old, of: one, isWhole: false).figures == ["group/one/a": 1, "group/one/b": 2, "other/c": 7])
    let foreign = GateBaseline(figures: old.figures, machine: GateMachine(traits: [.compiler: "another"]))
    #expect(throws: GateObstacle.self) { try part.renewing(foreign, of: one, isWhole: false) }
  }

  /// A job whose one time measures these numbers in turn.
  private func job(measuring times: [Double]) throws -> GateJob {
    let rest = Mutex(times)
    let figure = GateFigure("ratio/x", .percent(50), isTime: true, dependsOn: [])
    let probe = GateProbe("ratio: x", [figure]) { _ in [rest.withLock { $0.removeFirst() }] }
    let count = GateProbe("count: y", [Self.figure("count/y")]) { _ in [2] }
    return try GateJob(GateCatalog(probes: [probe, count]), choosing: [], besides: nil)
  }

  @Test(arguments: [([2.3, 1.0], 1.0), ([2.3, 2.2, 1.1], 1.1), ([2.3, 2.2, 2.1], 2.1), ([1.4], 1.4)])
  func aTimeThatIsWorseIsMeasuredAgain(times: [Double], result: Double) async throws {
    let job = try job(measuring: times)
    let first = try await job.run(progress: NoProgress())
    let baseline = GateBaseline(figures: ["ratio/x": 1, "count/y": 1], machine: first.machine)
    let measurement = try await job.confirmingTimes(first, against: baseline, progress: NoProgress())
    #expect(measurement.figures == ["ratio/x": result, "count/y": 2], "a count is right the first time")
  }
}
