import ArgumentParser
import HeapBenchKit

/// Says who in a fleet holds memory that he does not use, and why.
struct FleetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fleet",
    abstract: "Says which processes of a fleet hold memory that they do not use, and why.",
    discussion: """
      Asks a Prometheus that collects from 'heapbench exporter' on any number of hosts. The verdict of a process is leak \
      where its live bytes grew all through the window, retained where much of its memory is free and a purge would \
      return it, and fragmented where live blocks pin much free memory. docs/telemetry.md says what to do then.

      EXAMPLE
        heapbench fleet http://localhost:9090 --window 3600
      """)

  @Argument(help: ArgumentHelp("The address of the Prometheus.", valueName: "url")) var url: String

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp("The seconds, up to now, that are looked at: 8…604800.", valueName: "seconds"))
  var window = 3600

  @OptionGroup var figures: JSONOptions

  func validate() throws {
    guard (8...604_800).contains(window) else { throw UserError("--window must be 8…604800 seconds, found \(window)") }
  }

  func run() throws {
    let results = try Results(json: figures.json)
    let report = try FleetReport(from: PrometheusClient(url), windowSeconds: window)
    try results.show(report.text(style: .standardOutput))
    try results.write(json: try report.json())
  }
}
