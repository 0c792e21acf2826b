import ArgumentParser
import Foundation
import HeapBenchKit

/// Measures what a search among holes costs.
struct HolesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "holes",
    abstract: "Measures allocate + deallocate among 10 to 1,000,000 holes, first fit beside a plain list.",
    discussion: """
      Each heap has that many holes, nearly all of them too short for the requests that follow. Those that fit lie at \
      random places among them. A list walks past all holes before the one that fits; an index does not. The curve is \
      printed as a table, and drawn to holes.svg in the folder of --output (default bench-results).

      EXAMPLE
        heapbench holes --output curves --csv curves/holes.csv
      """)

  @OptionGroup var output: OutputOptions

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp("The seed of the holes' places.", valueName: "number"))
  var seed: UInt64 = 1

  func run() throws {
    let style = TerminalStyle.standardOutput
    let folder = output.output ?? ResultFiles.defaultFolder
    try ResultFiles.makeFolder(folder)
    for (option, path) in [("--json", output.json), ("--csv", output.csv)] {
      if let path { try ResultFiles.checkWritable(path, option: option) }
    }
    let progress = ProgressLine(style: style)
    let seed = seed
    let curve = try Interruptible.run {
      try HoleCurve.measure(seed: seed, progress: progress)
    }
    let report = HoleCurveReport(curve)
    print(report.text(style: style))
    try ResultFiles.write(Data(report.svg.utf8), to: "\(folder)/holes.svg")
    print("The curve as a picture: \(folder)/holes.svg")
    if let json = output.json { try ResultFiles.write(report.json(), to: json) }
    if let csv = output.csv { try ResultFiles.write(Data(report.csv.utf8), to: csv) }
    if !curve.isComplete {
      Ending.complain("interrupted; the figures above are those measured until then")
      throw ExitCode(Ending.interrupted)
    }
  }
}
