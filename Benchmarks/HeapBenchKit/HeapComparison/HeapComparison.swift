public import Foundation

/// What a pair of deallocate and allocate costs in several heaps, in instructions, and how much memory they need.
public struct HeapComparison: Sendable {
  /// The figures of one heap at one number of live blocks.
  public struct Figures: Sendable, Encodable {
    /// The instructions of a pair, the loop around it included.
    public let instructionCount: Double
    /// The bytes from the start of the memory to the end of the highest block ever, over the live bytes.
    public let extent: Double
  }

  /// The command that runs all pairs in one heap, which `heapbench` does not list.
  public static let subcommand = "heap-pairs"

  /// The heaps, in the order of the report.
  public let heaps: [ComparedHeap]

  /// The numbers of live blocks.
  public let liveCounts: [Int]

  /// The figures of each heap, at each number of live blocks.
  public private(set) var figures: [[Figures]] = []

  /// Runs all pairs in one heap, and returns the extent.
  public static func run(_ heap: ComparedHeap, liveCount: Int) throws -> Double {
    try HeapPairs(liveCount: liveCount).run(heap)
  }

  /// Measures all heaps.
  ///
  /// - Throws: ``GateObstacle`` when valgrind is not installed, or when a heap cannot be measured.
  public init(
    of heaps: [ComparedHeap], liveCounts: [Int], _ show: (String, Double) -> Void = { _, _ in }
  ) async throws {
    self.heaps = heaps
    self.liveCounts = liveCounts
    let workbench = try GateWorkbench()
    let heapbench = try await workbench.stripped("heapbench", product: "heapbench")
    for (index, heap) in heaps.enumerated() {
      var row: [Figures] = []
      for liveCount in liveCounts {
        show("\(heap.name), \(Figure.count(liveCount)) live blocks", Double(index) / Double(heaps.count))
        let arguments = [Self.subcommand, "--heap", heap.text, "--live", "\(liveCount)"]
        let text = try await workbench.output(of: heapbench, arguments).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let extent = Double(text) else { throw GateObstacle("the pairs in \(heap.name) printed '\(text)'") }
        let count = try await InstructionCounter(workbench: workbench).count(
          heapbench, arguments, within: "$s12HeapBenchKit??heapPairsMeasured*")
        row.append(Figures(instructionCount: count / Double(HeapPairs.measuredPairCount), extent: extent))
      }
      figures.append(row)
    }
  }

  /// The table. Each line ends with a newline.
  public func text(style: TerminalStyle) -> String {
    let width = max(4, heaps.map(\.name.count).max() ?? 0)
    let widths = [width] + liveCounts.flatMap { _ in [14, 9] }
    let headings = liveCounts.flatMap { ["\(Figure.count($0)) live".leftPadded(to: 14), "extent".leftPadded(to: 9)] }
    var rows = [[String(repeating: " ", count: width)] + headings.map { style.text($0, .strong) }]
    for (heap, row) in zip(heaps, figures) {
      let cells = row.flatMap {
        [
          Figure.fixed($0.instructionCount, decimals: 0).leftPadded(to: 14),
          Figure.fixed($0.extent, decimals: 3).leftPadded(to: 9),
        ]
      }
      rows.append([heap.name.rightPadded(to: width)] + cells)
    }
    let title =
      "Instructions of a pair of deallocate and allocate, 16 to 512 bytes, the loop included, and the highest end of a "
      + "block over the live bytes."
    return ([style.paragraph(title), ""] + style.folded(rows, widths: widths)).joined(separator: "\n") + "\n"
  }

  /// The figures as JSON: for each heap, those at each number of live blocks.
  public func json() throws -> Data {
    struct Row: Encodable {
      let heap: String
      let liveCount: Int
      let figures: Figures
    }
    return try zip(heaps, figures).flatMap { heap, row in
      zip(liveCounts, row).map { Row(heap: heap.name, liveCount: $0, figures: $1) }
    }.json()
  }
}
