import ArgumentParser
import HeapBenchKit

/// Runs some workloads under some policies.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Replays some profiles and traces under some policies.",
    discussion: """
      Without --profile and --trace it replays all of them; without --policy it takes the main job's policies. Each \
      option may be given several times. A path in place of a name takes a file of your own.

      EXAMPLES
        heapbench run --trace python-json --policy firstfit
        heapbench run --profile ./my-server.yaml --threads 8 --json figures.json
        heapbench run --profile larson-server --policy firstfit --policy plain-list --scale 0.01

      FIGURES IN FILES
        --csv writes a line of keys, then a line for each workload and policy. Times are nanoseconds, sizes bytes, \
      ratios and shares plain numbers. A figure that does not exist is empty:
      \(csvKeys)
        --json writes the same and more: every round, the workload's facts, and under "layout" the deterministic \
      figures at evenly spaced moments. Equal seeds give equal layouts, to the byte.
      """)

  private static var csvKeys: String {
    BenchmarkReport.csvColumns.map { "        \($0.key): \($0.meaning)" }.joined(separator: "\n")
  }

  @Option(name: .long, help: ArgumentHelp("A profile's name or YAML file.", valueName: "profile"))
  var profile: [String] = []

  @Option(name: .long, help: ArgumentHelp("A trace's name or file.", valueName: "trace"))
  var trace: [String] = []

  @Option(name: .long, help: ArgumentHelp("A policy's name; see 'heapbench list'.", valueName: "policy"))
  var policy: [String] = []

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp("The number of threads that share a profile's work.", valueName: "number"))
  var threads: Int?

  @OptionGroup var output: OutputOptions
  @OptionGroup var measurement: MeasurementOptions
  @OptionGroup var repetition: RoundOptions

  func validate() throws {
    if let threads, !(1...256).contains(threads) {
      throw UserError("--threads must be 1…256, found \(threads)")
    }
    if profile.isEmpty && !trace.isEmpty {
      if threads != nil {
        throw UserError("--threads applies to profiles; a trace is replayed with the threads it was recorded with")
      }
      try measurement.refuseSeedForTraces()
    }
  }

  func run() throws {
    let results = try Results(json: output.json, csv: output.csv)
    var benchmark = Benchmark(
      measurement: measurement, roundCount: repetition.rounds, folder: output.output, results: results)
    benchmark.profiles = profile
    benchmark.traces = trace
    benchmark.policies = policy
    benchmark.threadCount = threads
    try benchmark.run()
  }
}
