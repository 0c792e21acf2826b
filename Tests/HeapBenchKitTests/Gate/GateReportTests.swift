import Foundation
import Testing

@testable import HeapBenchKit

/// A measurement compared with a baseline: what is compared, what is not, and what the report says.
@Suite struct GateReportTests {
  private static let here = GateMachine(traits: [.architecture: "x86_64", .compiler: "new", .build: "release"])
  private static let there = GateMachine(traits: [.architecture: "x86_64", .compiler: "old", .build: "release"])

  private static let counted = GateFigure("instructions/a", .percent(2), dependsOn: [.compiler])
  private static let exact = GateFigure("layout/b/c/d", .exact, dependsOn: [])

  private func report(
    now: [(GateFigure, Result<Double, GateObstacle>)], baseline: [String: Double], from machine: GateMachine = here
  ) throws -> GateReport {
    let probes = now.map { figure, _ in GateProbe("test: \(figure.name)", [figure]) { _ in [] } }
    let stored = GateBaseline(figures: baseline, machine: machine)
    let job = try GateJob(GateCatalog(probes: probes), choosing: [], besides: stored)
    let outcomes = Dictionary(uniqueKeysWithValues: now.map { ($0.name, $1) })
    return GateReport(job, GateMeasurement(outcomes: outcomes, machine: Self.here), against: stored)
  }

  @Test func whatHoldsSaysNothing() throws {
    let report = try report(
      now: [(Self.counted, .success(101)), (Self.exact, .success(5))],
      baseline: ["instructions/a": 100, "layout/b/c/d": 5])
    #expect(!report.hasRegressed && !report.isIncomplete)
    #expect(report.remarks == [])
    let table = report.table(style: TerminalStyle(columnCount: 100, hasColour: false), showsAll: false)
    #expect(table.contains("instructions/a           100           101   +1.00%       2.0%  holds"), "\(table)")
    #expect(table.contains("layout/b: 1 figure, the same to the byte"))
    #expect(!table.contains("layout/b/c/d"))
  }

  @Test func aRegressionIsNamedWithItsChange() throws {
    let report = try report(
      now: [(Self.counted, .success(105)), (Self.exact, .success(6))],
      baseline: ["instructions/a": 100, "layout/b/c/d": 5])
    #expect(report.hasRegressed)
    #expect(report.remarks == ["worse than the tolerance allows: instructions/a (+5.00%), layout/b/c/d (+20%)"])
    let table = report.table(style: TerminalStyle(columnCount: 100, hasColour: false), showsAll: false)
    #expect(table.contains("layout/b/c/d"), "an exact figure that changed must have a line")
  }

  @Test func anImprovementPassesAndIsSaid() throws {
    let report = try report(now: [(Self.counted, .success(90))], baseline: ["instructions/a": 100])
    #expect(!report.hasRegressed && !report.isIncomplete)
    #expect(
      report.remarks.first?.hasPrefix("better than the baseline: instructions/a (−10%); to hold it there, ") == true)
  }

  @Test func aForeignBaselineIsNotComparedWhereItMatters() throws {
    let report = try report(
      now: [(Self.counted, .success(900)), (Self.exact, .success(6))],
      baseline: ["instructions/a": 100, "layout/b/c/d": 5], from: Self.there)
    #expect(report.rows.map(\.verdict) == [.foreign, .worse], "a figure without traits is compared everywhere")
    #expect(
      report.remarks.last
        == "not compared, as the baseline is of another machine or build: 1 counted figure; here compiler is 'new', "
        + "there 'old'; renew it with scripts/update-baselines REASON")
  }

  @Test func aTimeThatOtherWorkDisturbedIsUndecided() throws {
    let noise = GateObstacle("other work keeps the times apart", isNoise: true)
    let report = try report(
      now: [(Self.counted, .failure(noise)), (Self.exact, .success(5))],
      baseline: ["instructions/a": 100, "layout/b/c/d": 5])
    #expect(report.rows.map(\.verdict) == [.undecided, .holds])
    #expect(report.isUndecided && !report.isIncomplete && !report.hasRegressed)
    #expect(report.remarks == ["\(noise); undecided: instructions/a"])
  }

  @Test func whatIsNotMeasuredIsNoPass() throws {
    let obstacle = GateObstacle("valgrind is not installed: apt-get install valgrind")
    let report = try report(
      now: [(Self.counted, .failure(obstacle)), (Self.exact, .success(5))],
      baseline: ["instructions/a": 100, "layout/b/c/d": 5])
    #expect(!report.hasRegressed && report.isIncomplete)
    #expect(!report.isUndecided)
    #expect(report.remarks == ["\(obstacle); not measured: instructions/a"])
  }

  @Test func aRenamedFigureIsBothUnknownAndNew() throws {
    let report = try report(now: [(Self.counted, .success(1))], baseline: ["instructions/old": 1])
    #expect(report.rows.map(\.verdict) == [.new, .unknown])
    #expect(report.isIncomplete && !report.hasRegressed)
    #expect(report.remarks.count == 2)
    #expect(report.remarks.allSatisfy { $0.contains("renew it: scripts/update-baselines REASON") })
    #expect(report.remarks[0].contains("renamed") && report.remarks[0].contains("instructions/old"))
  }

  @Test func theJSONHasEveryFigure() throws {
    let report = try report(
      now: [(Self.counted, .success(105)), (Self.exact, .success(5))],
      baseline: ["instructions/a": 100, "layout/b/c/d": 5])
    let object = try JSONSerialization.jsonObject(with: report.json()) as? [String: Any]
    #expect(object?["hasRegressed"] as? Bool == true)
    let figures = object?["figures"] as? [[String: Any]]
    #expect(figures?.map { $0["verdict"] as? String } == ["worse", "holds"])
  }
}
