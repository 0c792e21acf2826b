import ArgumentParser
import HeapBenchKit

/// Replays a trace of any length under policies and preloaded allocators.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Replays a trace under every policy and every installed malloc.",
    discussion: """
      The first table says where policies place the blocks, exactly and always the same: the heap's peak, that over the \
      peak of a heap that compacts at no cost (blow-up), granted over requested bytes (waste), the share of the heap in \
      holes too short for the 99th-percentile request, the share of requests that grew the heap although enough was \
      free (forced), and the holes, the latter two at the worst moment. The second table has processor time and resident memory of \
      allocators, which make the calls on as many threads as were recorded. A trace with call stacks also gets a list of \
      those that allocated most of what was live at the peak. The trace is read as it is replayed: memory \
      is bounded by what the program had live.

      EXAMPLES
        heapbench replay app.hltrace
        heapbench replay app.hltrace --policy bestfit --policy general --allocator none
        heapbench replay app.hltrace --allocator snmalloc=./libsnmallocshim.so --touch whole
      """)

  @Argument(help: ArgumentHelp("A trace's file or name.", valueName: "trace")) var trace: String

  @Option(name: .long, help: ArgumentHelp("Only this policy, or 'none'; can be repeated.", valueName: "policy"))
  var policy: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Only this allocator, or one more as NAME=PATH.so, or 'none'; can be repeated.", valueName: "allocator"))
  var allocator: [String] = []

  @Option(
    name: .long, help: ArgumentHelp("What new blocks are written with: none, first or whole.", valueName: "touch"))
  var touch = TraceReplayOptions.Touch.first.rawValue

  @Option(
    name: .long, help: ArgumentHelp("'fast', or 'recorded' for calls no earlier than recorded.", valueName: "pace"))
  var pace = "fast"

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp("How many call stacks to show, of a trace that was recorded with --stacks.", valueName: "number")
  )
  var sites = 10

  @Option(name: .long, help: ArgumentHelp("The libheaplab.so to replay under.", valueName: "file"))
  var library: String?

  @OptionGroup var figures: JSONOptions

  private static let none = "none"

  func run() throws {
    let style = TerminalStyle.standardOutput
    let results = try Results(json: figures.json)
    let isPath = trace.contains("/") || trace.hasSuffix(".\(TraceFile.fileExtension)")
    let path = try isPath ? trace : WorkloadCatalog.find().source(named: trace, kind: .trace).path
    let file = try TraceFile(path: path)
    let policies = try policy.isEmpty ? TraceReplayJob.usualPolicies : Names.policies(policy.filter { $0 != Self.none })
    if let wrong = policies.first(where: { !$0.receivesMemory }) {
      throw UserError("policy '\(wrong.name)' shows no layout; replay it with --allocator glibc")
    }
    let (allocators, missing) = try chosenAllocators()
    guard (0...10_000).contains(sites) else { throw UserError("--sites must be 0…10000, found \(sites)") }
    let job = TraceReplayJob(
      file, policies: policies, isChosen: !policy.isEmpty, allocators: allocators, driver: try DriverProcess(),
      options: try options(), siteCountMax: sites)
    if !file.isWhole { Ending.complain("trace '\(path)' was cut off; its whole blocks are replayed") }
    let progress = ProgressLine()
    let report = try Interruptible.run { try await job.run(progress: progress) }
    guard !report.isEmpty || report.isComplete else { throw CancellationError() }
    try results.show(report.text(style: style))
    for line in missing { try results.show(style.paragraph(line) + "\n") }
    try results.write(json: report.json())
    if !report.isComplete { throw Ending.interruptedAfterFigures() }
    if report.hasFailures { throw UserError("some replays failed, see the lines in the tables") }
  }

  /// The allocators: all that `compare` finds, or those that were named.
  private func chosenAllocators() throws -> (allocators: [ComparedAllocator], missing: [String]) {
    if allocator == [Self.none] { return ([], []) }
    return try Names.allocators(allocator, library: library)
  }

  private func options() throws -> TraceReplayOptions {
    var options = TraceReplayOptions()
    guard let touch = TraceReplayOptions.Touch(rawValue: touch) else {
      throw UserError("--touch must be none, first or whole, found '\(touch)'")
    }
    guard ["fast", "recorded"].contains(pace) else {
      throw UserError("--pace must be fast or recorded, found '\(pace)'")
    }
    options.touch = touch
    options.keepsPace = pace == "recorded"
    return options
  }
}
