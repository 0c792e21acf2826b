import ArgumentParser
import Foundation
import HeapBenchKit

/// A benchmark as the command line asks for it: it turns names into workloads, and results into files.
struct Benchmark {
  let output: OutputOptions
  let measurement: MeasurementOptions
  let repetition: RoundOptions
  /// Whether this is the main job, which writes its files without being asked.
  let isMainJob: Bool
  var profiles: [String] = []
  var traces: [String] = []
  var policies: [String] = []
  var threadCount: Int?

  private var roundCount: Int { repetition.rounds ?? 3 }

  /// Checks all input before the first measurement, measures, and reports.
  func run() throws {
    let style = TerminalStyle.standardOutput
    let policies = try chosenPolicies()
    let items = try chosenSources().map(item)
    let files = try ResultFiles(output, isMainJob: isMainJob)
    let settings = BenchmarkReport.Settings(
      seed: measurement.seed, scale: measurement.scale, roundCount: roundCount)
    let job = BenchmarkJob(items: items, policies: policies, roundCount: roundCount)
    let progress = ProgressLine(style: style)
    let report = try Interruptible.run { try await job.run(settings: settings, progress: progress) }
    print(ResultTable(report, style: style).text, terminator: "")
    if let worst = report.worstHeap {
      print(
        "\nThe worst heap: \(worst.workload.name) under \(worst.result.policy), after step "
          + "\(worst.layout.worstSample.stepCount) of \(worst.workload.facts.stepCount)")
      print(style.paragraph(HeapPictureSheet.note(on: worst.layout)))
      print(worst.layout.worstPicture.text(style: style), terminator: "")
    }
    for line in try files.write(report) { print(line) }
    if !report.isComplete {
      Ending.complain("interrupted; the figures above are those measured until then")
      throw ExitCode(Ending.interrupted)
    }
    if report.workloads.contains(where: { $0.results.contains { $0.failure != nil } }) {
      throw UserError("some measurements failed, see the lines in the table")
    }
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
