import ArgumentParser
import HeapBenchKit

/// Measures a pair of deallocate and allocate in the first-fit heap and in other heaps.
struct CompareHeapsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare-heaps",
    abstract: "Counts the instructions of a pair in the first-fit heap, and in other heaps over a range of memory.",
    discussion: """
      Each pair frees one live block at random and allocates another of 16 to 512 bytes in its place. Instructions are \
      counted by valgrind; build heapbench in release mode. Without --heap, the first-fit heap is measured with its \
      table of holes and with its tree alone. docs/first-fit.md says which functions a library has to have.

      EXAMPLE
        heapbench compare-heaps --heap table --heap tlsf=./libtlsf.so --live 1000
      """)

  @Option(
    name: .long,
    help: ArgumentHelp("A heap: 'table', 'tree', or a shared library; can be repeated.", valueName: "name=path"))
  var heap: [String] = []

  @Option(
    name: .long, help: ArgumentHelp("A number of live blocks; can be repeated. (default: 1000, 100000)", valueName: "n")
  )
  var live: [Int] = []

  @OptionGroup var figures: JSONOptions

  func run() throws {
    let results = try Results(json: figures.json)
    let heaps = try heap.isEmpty ? ComparedHeap.own : heap.map(Self.comparedHeap)
    let liveCounts = live.isEmpty ? [1000, 100_000] : live
    try liveCounts.forEach(Self.check)
    let style = TerminalStyle.standardOutput
    let progress = ProgressLine()
    progress.begin(weights: [1])
    let comparison = try Interruptible.run {
      try await HeapComparison(of: heaps, liveCounts: liveCounts) { progress.show($0, share: $1) }
    }
    progress.end()
    try results.show(comparison.text(style: style))
    try results.write(json: comparison.json())
  }

  static func comparedHeap(_ text: String) throws -> ComparedHeap {
    guard let heap = ComparedHeap(text) else {
      throw UserError("--heap must be 'table', 'tree' or NAME=PATH of a shared library, found '\(text)'")
    }
    return heap
  }

  static func check(_ liveCount: Int) throws {
    guard (1...10_000_000).contains(liveCount) else {
      throw UserError("--live must be 1…10,000,000, found \(liveCount)")
    }
  }
}

/// Runs all pairs in one heap and prints the extent: ``CompareHeapsCommand`` starts this, also under valgrind.
struct HeapPairsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: HeapComparison.subcommand, abstract: "Runs the pairs of compare-heaps in one heap.",
    shouldDisplay: false)

  @Option(name: .long, help: "The heap.") var heap: String
  @Option(name: .long, help: "The number of live blocks.") var live: Int

  func run() throws {
    try CompareHeapsCommand.check(live)
    try StandardOutput.line("\(try HeapComparison.run(CompareHeapsCommand.comparedHeap(heap), liveCount: live))")
  }
}
