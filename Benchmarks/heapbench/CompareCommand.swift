import ArgumentParser
import Foundation
import HeapBenchKit

/// Compares libheaplab with the other allocators of this machine.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compares libheaplab.so with glibc, jemalloc, mimalloc, tcmalloc, tbbmalloc and scudo, side by side.",
    discussion: """
      Each workload runs in a process of its own under each allocator, by LD_PRELOAD. The allocators take turns; the \
      tables show ratios of medians. More tables show page faults, the times of single calls, resident memory over \
      live bytes, whole programs, the start of a program, and libheaplab's goals. A line names each allocator that is \
      not installed; scripts/bench --peers installs Debian's first. The whole comparison takes about a quarter of an \
      hour on two cores.

      EXAMPLES
        heapbench compare --quick
            everything in about four minutes, with less precision and smaller patterns
        heapbench compare --only pairs-64 --only medium-churn
            two workloads; --list shows their names
        heapbench compare --only ./mine.hltrace
            a trace of your own
        heapbench compare --allocator snmalloc=./libsnmallocshim.so
            one more allocator, of your own choice; docs/peers.md builds the fastest ones
        heapbench compare --scaling --only own-batches
            one workload, then four on 1 to 64 threads; curves go to scaling-*.svg in bench-results
      """)

  @Flag(name: .long, help: "Show the workloads' names and the allocators' libraries.")
  var list = false

  @Option(name: .long, help: ArgumentHelp("Only this workload or trace file; can be repeated.", valueName: "workload"))
  var only: [String] = []

  @Option(name: .long, help: ArgumentHelp("One more allocator; can be repeated.", valueName: "name=path.so"))
  var allocator: [String] = []

  @Option(name: .long, help: ArgumentHelp("The libheaplab.so to compare.", valueName: "file"))
  var library: String?

  @Flag(name: .long, help: "Fewer rounds and smaller patterns: four minutes.")
  var quick = false

  @Flag(name: .long, help: "Also measure four workloads on 1 to 64 threads: about a minute more.")
  var scaling = false

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp(
      "How many rounds to run; medians are reported. (default: 7; 3 with --quick)", valueName: "number"))
  var rounds: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The folder for the pictures of --scaling; by default that of --document, else bench-results.",
      valueName: "folder"))
  var output: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Write the tables as Markdown, and a chart of the means beside it.", valueName: "file.md"))
  var document: String?

  @OptionGroup var figures: FigureOptions

  func validate() throws {
    if let rounds { try RoundOptions.check(rounds) }
    if output != nil && !scaling {
      throw UserError("--output is the folder for the pictures of --scaling, which is not there; leave it out")
    }
    let given = [
      ("--json", figures.json != nil), ("--csv", figures.csv != nil), ("--scaling", scaling),
      ("--rounds", rounds != nil),
      ("--document", document != nil),
    ]
    if list, let option = given.first(where: \.1)?.0 {
      throw UserError("--list measures nothing; leave out \(option)")
    }
  }

  func run() throws {
    let style = TerminalStyle.standardOutput
    let results = try Results(json: figures.json, csv: figures.csv)
    if let document { try ResultFile.checkWritable(document, option: "--document") }
    let (allocators, missing) = try ComparedAllocator.choose(library: library, additions: allocator)
    let driver = try DriverProcess()
    var size = quick ? ComparisonPlan.Size.quick : .full
    if let rounds { size.roundCount = rounds }
    let folder = FileManager.default.temporaryDirectory.appending(path: "heapbench-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let besideDocument = document.map { URL(filePath: $0).deletingLastPathComponent().path }
    let picturesFolder = output ?? besideDocument ?? AllCommand.defaultFolder
    if scaling { try ResultFile.makeFolder(picturesFolder) }

    // All in one call: Interruptible catches signals once in a process.
    let (plan, report) = try Interruptible.run { [list, only, scaling, size] in
      let plan = try await ComparisonPlan(
        allocators: allocators, driver: driver, size: size, only: only, folder: folder)
      guard !list else { return (plan, ComparisonReport(allocators: allocators)) }
      for line in missing { try results.show(style.paragraph(line) + "\n") }
      var report = await ComparisonJob(plan, driver: driver).run(progress: ProgressLine())
      if scaling && report.isComplete {
        let job = ScalingJob(allocators: allocators, driver: driver, size: size)
        report.add(await job.run(progress: ProgressLine()))
      }
      return (plan, report)
    }
    if list { return try show(plan, missing) }
    guard !report.isEmpty || report.isComplete else { throw CancellationError() }
    try results.show(report.text(style: style))
    for curve in report.scaling {
      let path = "\(picturesFolder)/\(curve.fileName)"
      try ResultFile.write(Data(curve.svg.utf8), to: path)
      try results.show("The curves as a picture: \(path)\n")
    }
    if let document { try write(report, as: document) }
    try results.write(json: report.json(), csv: report.csv)
    if !report.isComplete { throw Ending.interruptedAfterFigures() }
    if !report.failures.isEmpty { throw UserError("some measurements failed, see the lines above") }
  }

  /// Writes the document, and the chart beside it unless only some workloads were measured.
  private func write(_ report: ComparisonReport, as document: String) throws {
    let chart = URL(filePath: document).deletingPathExtension().appendingPathExtension("svg")
    try ResultFile.write(
      Data(report.markdown(chart: chart.lastPathComponent, showsCurves: output == nil).utf8), to: document)
    if let svg = report.chart { try ResultFile.write(Data(svg.utf8), to: chart.path) }
  }

  private func show(_ plan: ComparisonPlan, _ missing: [String]) throws {
    for allocator in plan.allocators {
      try StandardOutput.line("\(allocator.name)\t\(allocator.library ?? "the C library's own")")
    }
    for line in missing + plan.notes { try StandardOutput.line(line) }
    try StandardOutput.line("")
    for row in plan.names { try StandardOutput.line("\(row.name)\t\(row.kind.rawValue)") }
  }
}
