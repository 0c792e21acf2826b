import ArgumentParser
import Foundation
import HeapBenchKit

/// Shows the heap of a running process.
struct HeapCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "heap",
    abstract: "Shows what the heap of a running process on libheaplab.so holds.",
    discussion: """
      The figures, the size classes and the layout are read from the memory of the process, which goes on and does \
      nothing for it. That takes the right to trace the process: its user's where Yama allows it, root's, or \
      CAP_SYS_PTRACE. A process that was started with HEAPLAB_TELEMETRY=1 shows its figures to everybody. \
      docs/telemetry.md says what each figure means, and what to do when it is high.

      EXAMPLE
        heapbench heap $(pidof redis-server) --picture heap.svg
      """)

  @Argument(help: ArgumentHelp("The number of the process.", valueName: "pid")) var pid: String

  @OptionGroup var figures: JSONOptions

  @Option(name: .long, help: ArgumentHelp("Draw the layout as an SVG file.", valueName: "file"))
  var picture: String?

  func run() throws {
    let results = try Results(json: figures.json)
    if let picture { try ResultFile.checkWritable(picture, option: "--picture") }
    guard let process = Int32(pid), process > 0 else {
      throw UserError("'\(pid)' is no number of a process; 'heapbench top' lists them")
    }
    let report = try HeapReport(process)
    try results.show(report.text(style: .standardOutput))
    try results.write(json: try report.json())
    guard let picture else { return }
    guard let svg = report.svg else {
      throw UserError("process \(process) shows figures and no layout; read its memory as root or with CAP_SYS_PTRACE")
    }
    try ResultFile.write(Data(svg.utf8), to: picture)
    try results.show("The layout as a picture: \(picture)\n")
  }
}
