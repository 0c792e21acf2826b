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

      EXIT STATUS
        0  every figure holds, or is better than its baseline
        1  a figure is worse than its tolerance allows
        2  a figure could not be measured or compared, or the input was bad: a line on standard error says which
      The gate does not compare counted figures with a baseline from another compiler or processor, and a line says \
      so. The ratios and the fragmentation figures are compared everywhere.
      """)

  @Option(name: .long, help: ArgumentHelp("The file with the stored figures.", valueName: "file"))
  var baseline: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Only the figure of this name, or those with this part of a name.", valueName: "name"))
  var only: [String] = []

  @Flag(name: .long, help: "Also show the many figures of layouts that hold.")
  var all = false

  @Flag(name: .long, help: "Write the figures to the baseline instead of failing.")
  var renew = false

  @Option(name: .long, help: ArgumentHelp("Write all figures and verdicts as JSON.", valueName: "file"))
  var json: String?

  func run() throws {
    let style = TerminalStyle.standardOutput
    let workloads = try WorkloadCatalog.find()
    let path = baseline ?? GateBaseline.defaultPath(in: workloads)
    if let json { try ResultFiles.checkWritable(json, option: "--json") }
    if renew { try ResultFiles.checkWritable(path, option: "--baseline") }
    let old = try storedFigures(at: path)
    let job = try GateJob(GateCatalog(workloads: workloads), choosing: only, besides: old)
    let progress = ProgressLine(style: style)
    let measurement = try Interruptible.run { try await job.run(progress: progress) }
    let report = GateReport(job, measurement, against: old ?? measurement.asBaseline)
    print(report.table(style: style, showsAll: all), terminator: "")
    if let json { try ResultFiles.write(report.json(), to: json) }
    if renew {
      try measurement.renewing(old, of: job, isWhole: only.isEmpty).write(to: path)
      print("\nThe baseline is renewed: \(path)")
      return
    }
    for remark in report.remarks { Ending.complain(remark) }
    if report.hasRegressed { throw ExitCode(Ending.regression) }
    if report.isUndecided { throw ExitCode(Ending.badInput) }
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
