import ArgumentParser
import HeapBenchKit

/// Everything about one profile, trace or policy.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Tells whose behaviour a profile or trace models, and what it asks for.",
    discussion: "The figures are those of the workload alone, whichever allocator serves it.")

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
