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
    let folder = output.output ?? AllCommand.defaultFolder
    try ResultFile.makeFolder(folder)
    let results = try Results(json: output.json, csv: output.csv)
    let progress = ProgressLine()
    let seed = seed
    let curve = try Interruptible.run {
      try HoleCurve.measure(seed: seed, progress: progress)
    }
    guard !curve.points.isEmpty else { throw CancellationError() }
    let report = HoleCurveReport(curve)
    try results.show(report.text(style: style) + "\n")
    try ResultFile.write(Data(report.svg.utf8), to: "\(folder)/holes.svg")
    try results.show("The curve as a picture: \(folder)/holes.svg\n")
    try results.write(json: report.json(), csv: report.csv)
    if !curve.isComplete { throw Ending.interruptedAfterFigures() }
  }
}
