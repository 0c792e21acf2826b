import ArgumentParser
import HeapBenchKit

/// The main job: what heapbench does without a command.
struct AllCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "all",
    abstract: "Runs the main job: every profile and trace under every policy and the system's malloc.",
    discussion: """
      That takes two to three minutes on two cores in a release build. The result is a table of throughput, latency \
      and memory, and pictures of the heaps, at the moment when one of them is at its worst. Without options the files are report.json, \
      report.csv and a picture for each workload in ./bench-results. 'heapbench help run' says what the figures are.

      EXAMPLES
        heapbench
            the main job, with its files in ./bench-results
        heapbench all --scale 0.1 --rounds 1 --output small
            a tenth of the work, once
        heapbench all --json -
            all figures on standard output, and no table
      """)

  /// The folder of the main job's files.
  static let defaultFolder = "bench-results"

  @OptionGroup var output: OutputOptions
  @OptionGroup var measurement: MeasurementOptions
  @OptionGroup var repetition: RoundOptions

  func run() throws {
    let folder = output.output ?? Self.defaultFolder
    // The files lie in the folder, which must exist before they can be checked.
    try ResultFile.makeFolder(folder)
    let (json, csv) = (output.json ?? "\(folder)/report.json", output.csv ?? "\(folder)/report.csv")
    let results = try Results(json: json, csv: csv)
    try Benchmark(
      measurement: measurement, roundCount: repetition.rounds, folder: folder, results: results
    ).run()
    try results.show("All figures: \(json); one line for each workload and policy: \(csv)\n")
  }
}
