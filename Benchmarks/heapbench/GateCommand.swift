import ArgumentParser
import Foundation
import HeapBenchKit

/// Compares this build's figures with a stored baseline.
struct GateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gate",
    abstract: "Compares counted figures with a baseline, and fails when one got worse.",
    discussion: """
      Instructions, system calls, page faults, resident memory and fragmentation of every workload, each with a \
      tolerance of its own. Time counts only as a ratio to a peer in the same run. docs/regressions.md says how to \
      read the table, how to renew a baseline, and how to add a figure.

      EXAMPLES
        heapbench gate
            all figures, against the baseline of this architecture
        heapbench gate --only general --only sqlite-oltp
            the figures whose names have such a part
        heapbench gate --baseline mine.json --renew
            writes a baseline of your own
        heapbench gate --trace app.hltrace --baseline app.json
            the layouts of a trace of your own; with --renew, the first baseline

      EXIT STATUS
        0  every figure holds, or is better than its baseline
        1  a figure is worse than its tolerance allows
        2  a figure could not be measured or compared, or the input was bad: a line on standard error says which
        3  every count holds, but other work on the machine kept the ratios of times from settling
      The gate does not compare counted figures with a baseline from another compiler or C library, and a line says \
      so. The ratios to glibc's malloc and the fragmentation figures are compared everywhere.
      """)

  @Option(name: .long, help: ArgumentHelp("The file with the stored figures.", valueName: "file"))
  var baseline: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Only the figure of this name, or those with this part of a name; can be repeated.", valueName: "name"))
  var only: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp("Measure the layouts of this trace, of any length, and nothing else.", valueName: "file"))
  var trace: String?

  @Flag(name: .long, help: "Also show the many figures of layouts that hold.")
  var all = false

  @Flag(name: .long, help: "Write the figures to the baseline instead of failing.")
  var renew = false

  @Option(
    name: .long,
    help: ArgumentHelp("Write all figures and verdicts as JSON; '-' is standard output.", valueName: "file"))
  var json: String?

  func run() throws {
    let style = TerminalStyle.standardOutput
    let workloads = try trace.map { WorkloadCatalog(traces: [try TraceFile(path: $0).path]) } ?? WorkloadCatalog.find()
    guard let path = baseline ?? (trace == nil ? GateBaseline.defaultPath(in: workloads) : nil) else {
      throw UserError("--trace needs a baseline of its own: name its file with --baseline; --renew creates it")
    }
    let results = try Results(json: json)
    if renew { try ResultFile.checkWritable(path, option: "--baseline") }
    let old = try storedFigures(at: path)
    let job = try GateJob(
      GateCatalog(workloads: workloads), choosing: only.isEmpty && trace != nil ? ["layout"] : only, besides: old)
    let progress = ProgressLine()
    let measurement = try Interruptible.run { [renew] in
      let measurement = try await job.run(progress: progress)
      guard let old, !renew else { return measurement }
      return try await job.confirmingTimes(measurement, against: old, progress: progress)
    }
    let report = GateReport(job, measurement, against: old ?? measurement.asBaseline)
    try results.show(report.table(style: style, showsAll: all))
    try results.write(json: report.json())
    if renew {
      try measurement.renewing(old, of: job, isWhole: only.isEmpty).write(to: path)
      return try results.show("\nThe baseline is renewed: \(path)\n")
    }
    for remark in report.remarks { Ending.complain(remark) }
    if report.hasRegressed { throw ExitCode(Ending.regression) }
    if report.isIncomplete { throw ExitCode(Ending.badInput) }
    if report.isUndecided { throw ExitCode(Ending.undecidedTimes) }
  }

  /// The stored baseline; nil when this run creates it.
  private func storedFigures(at path: String) throws -> GateBaseline? {
    if renew, !FileManager.default.fileExists(atPath: path) { return nil }
    return try GateBaseline(path: path)
  }
}

/// Runs one hot path once: ``GateCommand`` starts this under valgrind.
struct HotPathCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: HotPathProcess.subcommand, abstract: "Runs a hot path of a policy once.", shouldDisplay: false)

  @Argument(help: "The workload.") var workload: String
  @Argument(help: "The policy.") var policy: String

  func run() throws { try HotPathProcess.perform(workload, policy: policy) }
}
