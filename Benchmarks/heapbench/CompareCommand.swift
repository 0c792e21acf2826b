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
      tables show ratios of medians. More tables show resident memory over live bytes, whole programs, the start of a \
      program, and libheaplab's goals. A line names each allocator that is not installed; scripts/bench --peers \
      installs Debian's first. The whole comparison takes about ten minutes on two cores.

      EXAMPLES
        heapbench compare --quick
            everything in about three minutes, with less precision
        heapbench compare --only pairs-64 --only medium-churn
            two workloads; --list shows their names
        heapbench compare --allocator snmalloc=./libsnmallocshim.so
            one more allocator, of your own choice
        heapbench compare --scaling --only own-batches
            one workload, then four on 1 to 64 threads; curves go to scaling-*.svg in bench-results
      """)

  @Flag(name: .long, help: "Show the workloads' names and the allocators' libraries.")
  var list = false

  @Option(name: .long, help: ArgumentHelp("Only this workload; can be repeated.", valueName: "workload"))
  var only: [String] = []

  @Option(name: .long, help: ArgumentHelp("One more allocator; can be repeated.", valueName: "name=path.so"))
  var allocator: [String] = []

  @Option(name: .long, help: ArgumentHelp("The libheaplab.so to compare.", valueName: "file"))
  var library: String?

  @Flag(name: .long, help: "Fewer rounds and smaller patterns: three minutes.")
  var quick = false

  @Flag(name: .long, help: "Also measure four workloads on 1 to 64 threads: about a minute more.")
  var scaling = false

  @OptionGroup var repetition: RoundOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let style = TerminalStyle.standardOutput
    let (allocators, missing) = try ComparedAllocator.choose(library: library, additions: allocator)
    let driver = try DriverProcess()
    for (option, path) in [("--json", output.json), ("--csv", output.csv)] {
      if let path { try ResultFiles.checkWritable(path, option: option) }
    }
    var size = quick ? ComparisonPlan.Size.quick : .full
    if let rounds = repetition.rounds { size.roundCount = rounds }
    let folder = FileManager.default.temporaryDirectory.appending(path: "heapbench-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let picturesFolder = output.output ?? ResultFiles.defaultFolder
    if scaling && !list { try ResultFiles.makeFolder(picturesFolder) }

    // All in one call: Interruptible catches signals once in a process.
    let (plan, report) = try Interruptible.run { [list, only, scaling, size] in
      let plan = try await ComparisonPlan(
        allocators: allocators, driver: driver, size: size, only: only, folder: folder)
      var report = ComparisonReport(allocators: allocators)
      guard !list else { return (plan, report) }
      for line in missing { print(line) }
      report = await ComparisonJob(plan, driver: driver).run(progress: ProgressLine(style: style))
      if scaling && report.isComplete {
        let job = ScalingJob(allocators: allocators, driver: driver, size: size)
        report.add(await job.run(progress: ProgressLine(style: style)))
      }
      return (plan, report)
    }
    if list { return show(plan, missing) }
    print(report.text(style: style), terminator: "")
    for curve in report.scaling {
      let path = "\(picturesFolder)/scaling-\(curve.name).svg"
      try ResultFiles.write(Data(curve.svg.utf8), to: path)
      print("The curves as a picture: \(path)")
    }
    if let json = output.json { try ResultFiles.write(report.json(), to: json) }
    if let csv = output.csv { try ResultFiles.write(Data(report.csv.utf8), to: csv) }
    if !report.isComplete {
      Ending.complain("interrupted; the figures above are those measured until then")
      throw ExitCode(Ending.interrupted)
    }
    if !report.failures.isEmpty { throw UserError("some measurements failed, see the lines above") }
  }

  private func show(_ plan: ComparisonPlan, _ missing: [String]) {
    for allocator in plan.allocators { print("\(allocator.name)\t\(allocator.library ?? "the C library's own")") }
    for line in missing + plan.notes { print(line) }
    print("")
    for row in plan.names { print("\(row.name)\t\(row.kind.rawValue)") }
  }
}
