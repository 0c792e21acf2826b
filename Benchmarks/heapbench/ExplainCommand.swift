import ArgumentParser
import HeapBenchKit

/// Explains one profile, trace or policy.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Tells what a profile or trace models and asks for, or how a policy works and what it costs.",
    discussion: "The figures of a profile or trace describe the workload alone; they do not depend on an allocator.")

  @Argument(help: ArgumentHelp("The name of a profile, a trace or a policy, or a file.", valueName: "name"))
  var name: String

  @OptionGroup var measurement: MeasurementOptions
  @OptionGroup var figures: JSONOptions

  func run() throws {
    let style = TerminalStyle.standardOutput
    let results = try Results(json: figures.json)
    if let policy = PolicyCatalog.policy(named: name) {
      if measurement.givenSeed != nil || measurement.givenScale != nil {
        throw UserError("--seed and --scale apply to profiles and traces; '\(name)' is a policy")
      }
      let explanation = PolicyExplanation(policy)
      try results.show(explanation.text(style: style))
      return try results.write(json: explanation.json())
    }
    try MachineLimits.check()
    let source = try WorkloadCatalog.find().source(named: name, besides: PolicyCatalog.all.map(\.name))
    if source.kind == .trace { try measurement.refuseSeedForTraces() }
    let workload = try source.workload(seed: measurement.seed, scale: measurement.scale)
    let explanation = WorkloadExplanation(workload, path: source.path)
    try results.show(explanation.text(style: style))
    try results.write(json: explanation.json())
  }
}
