import Foundation

/// What a pair of deallocate and allocate costs in several heaps, in instructions, and how much memory they need.
public struct HeapComparison: Sendable {
  /// The figures of one heap at one number of live blocks.
  public struct Figures: Sendable {
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
    let columns = liveCounts.map { "\(Figure.count($0)) live".leftPadded(to: 14) + "extent".leftPadded(to: 9) }
    var lines = [
      "Instructions of a pair of deallocate and allocate, 16 to 512 bytes, the loop included,",
      "and the highest end of a block over the live bytes.", "",
      style.text(String(repeating: " ", count: width) + columns.joined(), .strong),
    ]
    for (heap, row) in zip(heaps, figures) {
      let cells = row.map {
        String(format: "%.0f", $0.instructionCount).leftPadded(to: 14)
          + String(format: "%.3f", $0.extent).leftPadded(to: 9)
      }
      lines.append(heap.name + String(repeating: " ", count: width - heap.name.count) + cells.joined())
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
