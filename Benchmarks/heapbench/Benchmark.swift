import ArgumentParser
import Foundation
import HeapBenchKit

/// A benchmark as the command line asks for it: it turns names into workloads, and results into files.
struct Benchmark {
  let measurement: MeasurementOptions
  let roundCount: Int
  /// The folder for the pictures; nil for none.
  let folder: String?
  let results: Results
  var profiles: [String] = []
  var traces: [String] = []
  var policies: [String] = []
  var threadCount: Int?

  /// Checks all input before the first measurement, measures, and reports.
  func run() throws {
    let style = TerminalStyle.standardOutput
    let policies = try chosenPolicies()
    let items = try chosenSources().map(item)
    if let folder { try ResultFile.makeFolder(folder) }
    let settings = BenchmarkReport.Settings(
      seed: measurement.seed, scale: measurement.scale, roundCount: roundCount)
    let job = BenchmarkJob(items: items, policies: policies, roundCount: roundCount)
    let progress = ProgressLine()
    let report = try Interruptible.run { try await job.run(settings: settings, progress: progress) }
    guard report.hasFigures || report.isComplete else { throw CancellationError() }
    try show(report, style: style)
    try results.write(json: report.json(), csv: report.csv)
    if !report.isComplete { throw Ending.interruptedAfterFigures() }
    if report.workloads.contains(where: { $0.results.contains { $0.failure != nil } }) {
      throw UserError("some measurements failed, see the lines in the table")
    }
  }

  private func show(_ report: BenchmarkReport, style: TerminalStyle) throws {
    try results.show(ResultTable(report, style: style).text)
    if let leftOut = leftOutLine { try results.show(style.paragraph(leftOut) + "\n") }
    if let worst = report.worstHeap {
      let place =
        "The worst heap: \(worst.workload.name) under \(worst.result.policy), after step "
        + "\(worst.layout.worstSample.stepCount) of \(worst.workload.facts.stepCount)"
      try results.show("\n" + style.paragraph(place) + "\n")
      try results.show(style.paragraph(HeapPictureSheet.note(on: worst.layout)) + "\n")
      try results.show(worst.layout.worstPicture.text(style: style))
    }
    if let folder, case let count = try writePictures(of: report, to: folder), count > 0 {
      let worst = report.worstHeap.map { ", the worst in \(folder)/\($0.workload.name).svg" } ?? ""
      try results.show("Pictures of the heaps, at the moment when one is at its worst: \(folder)/*.svg\(worst)\n")
    }
  }

  /// Which policies were left out, unless they were chosen by name.
  private var leftOutLine: String? {
    let names = PolicyCatalog.all.filter { !$0.isInMainJob }.map(\.name)
    guard policies.isEmpty, !names.isEmpty else { return nil }
    return "Left out, since a request may take time in proportion to the holes: \(names.joined(separator: ", ")); "
      + "'heapbench run --policy NAME' runs it."
  }

  /// Writes a picture for each workload that has one, and returns how many there are.
  private func writePictures(of report: BenchmarkReport, to folder: String) throws -> Int {
    var count = 0
    for workload in report.workloads {
      guard let sheet = HeapPictureSheet(workload) else { continue }
      try ResultFile.write(Data(sheet.svg.utf8), to: "\(folder)/\(workload.name).svg")
      count += 1
    }
    return count
  }

  private func chosenPolicies() throws -> [Policy] {
    policies.isEmpty ? PolicyCatalog.all.filter(\.isInMainJob) : try Names.policies(policies)
  }

  private func chosenSources() throws -> [WorkloadSource] {
    let catalog = try WorkloadCatalog.find()
    if profiles.isEmpty && traces.isEmpty { return catalog.sources }
    return try profiles.map { try catalog.source(named: $0, kind: .profile) }
      + traces.map { try catalog.source(named: $0, kind: .trace) }
  }

  /// A source as an item of the job. Reads the file's header, so mistakes show before anything is measured.
  private func item(for source: WorkloadSource) throws -> JobItem {
    let (seed, scale) = (measurement.seed, measurement.scale)
    switch source.kind {
    case .trace:
      _ = try source.summary()
      return JobItem(name: source.name, estimatedStepCount: stepCount(ofTraceAt: source.path)) {
        try source.workload(seed: seed, scale: scale)
      }
    case .profile:
      var profile = try Profile(path: source.path)
      if let threadCount { profile = try profile.with(threadCount: threadCount) }
      var isAdversary = false
      if case .adversary = profile.behaviour { isAdversary = true }
      let steps = Int(600_000 * scale)
      return JobItem(name: source.name, estimatedStepCount: steps, isAdversary: isAdversary) { [profile] in
        ProfileGenerator.workload(of: profile, seed: seed, scale: scale)
      }
    }
  }

  /// The approximate number of events in a trace, at two bytes each.
  private func stepCount(ofTraceAt path: String) -> Int {
    let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    return Int(Double(size / 2) * min(1, measurement.scale))
  }
}
