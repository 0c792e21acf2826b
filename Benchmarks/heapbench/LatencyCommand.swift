import ArgumentParser
import Foundation
import HeapBenchKit

/// Times single calls of every allocator, up to the slowest.
struct LatencyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latency",
    abstract: "Times every malloc and free under each allocator, from the median to the slowest call.",
    discussion: """
      Threads replace random blocks of their own; the next thread frees one in eight. The processor's counter is read \
      around each call, and what the readings take is subtracted. Allocators take turns, each run in a process of its \
      own after a warm-up. Tables show quantiles up to the slowest call, page faults, switches between threads, and \
      system calls (counted by strace on one thread). The plots show how long the slowest calls take over how rare \
      they are; pictures of them go to bench-results. On a shared machine the tail has the neighbours' work in it: \
      compare columns of one run, and not numbers of two.

      EXAMPLES
        heapbench latency
            blocks of 16 bytes to 64 KiB and of 4 KiB to 4 MiB, on 1, 2 and 8 threads
        heapbench latency --size 64-64 --threads 4 --allocator heaplab --allocator jemalloc
            one size, on four threads, under two allocators
        heapbench latency --neighbour 1G
            beside a process that maps, writes and returns 1 GiB all the time
      """)

  @Option(
    name: .long,
    help: ArgumentHelp("The least and the most bytes of a block, as 16-64K; can be repeated.", valueName: "range"))
  var size: [String] = []

  @Option(
    name: .long, parsing: .unconditionalSingleValue,
    help: ArgumentHelp("How many threads; can be repeated. (default: 1, 2 and 8)", valueName: "number"))
  var threads: [Int] = []

  @Option(
    name: .long,
    help: ArgumentHelp("Only this allocator, or one more as NAME=PATH.so; can be repeated.", valueName: "allocator"))
  var allocator: [String] = []

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp("The replacements in a run; of large blocks an eighth as many.", valueName: "number"))
  var operations = 2_000_000

  @Option(name: .long, help: ArgumentHelp("A neighbour that writes so much memory all the time.", valueName: "size"))
  var neighbour: String?

  @Option(name: .long, help: ArgumentHelp("The libheaplab.so to measure.", valueName: "file"))
  var library: String?

  @OptionGroup var rounds: RoundOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    for count in threads where !(1...1024).contains(count) {
      throw UserError("--threads must be 1…1024, found \(count)")
    }
    guard (1000...1_000_000_000).contains(operations) else {
      throw UserError("--operations must be 1000…1000000000, found \(operations)")
    }
  }

  func run() throws {
    let style = TerminalStyle.standardOutput
    let results = try Results(json: output.json, csv: output.csv)
    let (allocators, missing) = try Names.allocators(allocator, library: library)
    let job = LatencyJob(
      allocators: allocators, rows: try rows(), driver: try DriverProcess(), roundCount: rounds.rounds,
      operationCount: operations, neighbourByteCount: try neighbourByteCount())
    let folder = output.output ?? AllCommand.defaultFolder
    try ResultFile.makeFolder(folder)
    let progress = ProgressLine()
    let report = try Interruptible.run { await job.run(progress: progress) }
    guard !report.isEmpty || report.isComplete else { throw CancellationError() }
    try results.show(report.text(style: style))
    for line in missing { try results.show(style.paragraph(line) + "\n") }
    for chart in report.charts {
      let path = "\(folder)/\(chart.fileName)"
      try ResultFile.write(chart.svg, to: path)
      try results.show("The plot as a picture: \(path)\n")
    }
    try results.write(json: report.json(), csv: report.csv)
    if !report.isComplete { throw Ending.interruptedAfterFigures() }
    if report.hasFailures { throw UserError("some measurements failed, see the lines above") }
  }

  private func neighbourByteCount() throws -> Int? {
    guard let neighbour else { return nil }
    guard let count = ByteCount(argument: neighbour), let byteCount = Int(exactly: count.byteCount), byteCount > 0
    else {
      throw UserError("--neighbour must be a size, as 1G or 512M, found '\(neighbour)'")
    }
    return byteCount
  }

  private func rows() throws -> [LatencyRow] {
    let sizes = try size.isEmpty ? LatencyRow.usualSizes : size.map(Self.range)
    let counts = threads.isEmpty ? LatencyRow.usualThreadCounts : threads
    return sizes.flatMap { size in
      counts.map { LatencyRow(least: size.least, most: size.most, threadCount: $0) }
    }
  }

  private static func range(_ text: String) throws -> (least: Int, most: Int) {
    let counts = text.split(separator: "-", omittingEmptySubsequences: false).map { ByteCount(argument: String($0)) }
    guard counts.count == 2, let least = counts[0]?.byteCount, let most = counts[1]?.byteCount,
      LatencyRow.byteCounts.contains(least), LatencyRow.byteCounts.contains(most), least <= most
    else {
      throw UserError("--size must be two sizes of 8 bytes to 1 GiB, the least first, as 16-64K, found '\(text)'")
    }
    return (Int(least), Int(most))
  }
}
