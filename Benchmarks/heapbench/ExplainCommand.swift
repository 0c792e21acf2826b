import ArgumentParser
import HeapBenchKit

/// Explains one profile, trace or policy.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Tells whose behaviour a profile or trace models, and what it asks for.",
    discussion: "The figures describe the workload alone; they do not depend on an allocator.")

  @Argument(help: ArgumentHelp("The name of a profile, a trace or a policy, or a file.", valueName: "profile"))
  var name: String

  @OptionGroup var measurement: MeasurementOptions

  func run() throws {
    let style = TerminalStyle.standardOutput
    if let policy = PolicyCatalog.policy(named: name) {
      print(style.paragraph("\(policy.name): \(policy.summary)."))
      return
    }
    let source = try WorkloadCatalog.find().source(named: name)
    let workload = try source.workload(seed: measurement.seed, scale: measurement.scale)
    print(WorkloadExplanation(workload, path: source.path).text(style: style), terminator: "")
  }
}
