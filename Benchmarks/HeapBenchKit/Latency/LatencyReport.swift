public import Foundation

/// The times of single calls under several allocators, with what happened meanwhile.
public struct LatencyReport: Sendable {
  /// A row: sizes and threads.
  struct Item: Sendable {
    let row: LatencyRow
    /// The runs of each allocator, one a round.
    var runs: [String: [TailRun]] = [:]
    var failures: [String: String] = [:]
    /// The system calls in a million replacements.
    var systemCallsPerMillion: [String: Double] = [:]

    /// The times of all rounds.
    func times(_ allocator: String, _ calls: (TailRun) -> CallTimes) -> CallTimes {
      CallTimes(merging: (runs[allocator] ?? []).map(calls))
    }

    /// How often something happened in a million replacements, in all rounds together.
    func perMillion(_ allocator: String, _ count: (TailRun.Counts) -> Int) -> Double? {
      guard let runs = runs[allocator], !runs.isEmpty else { return nil }
      let operationCount = runs.reduce(0) { $0 + $1.counts.operations }
      return Double(runs.reduce(0) { $0 + count($1.counts) }) * 1_000_000 / Double(max(1, operationCount))
    }
  }

  /// The allocators' names, in the order of the columns.
  let allocators: [String]
  let roundCount: Int
  let neighbourByteCount: Int?
  var items: [Item] = []
  var notes: [String] = []
  /// Whether everything was measured.
  public internal(set) var isComplete = false

  init(allocators: [String], roundCount: Int, neighbourByteCount: Int?) {
    self.allocators = allocators
    self.roundCount = roundCount
    self.neighbourByteCount = neighbourByteCount
  }

  /// Whether there is no figure.
  public var isEmpty: Bool { items.allSatisfy(\.runs.isEmpty) }
  /// Whether something could not be measured.
  public var hasFailures: Bool { items.contains { !$0.failures.isEmpty } }

  /// A chart for each row, by its file's name: how long the slowest calls take, over how rare they are.
  public var charts: [(fileName: String, svg: Data)] {
    items.map { item in
      let chart = LogarithmicChart(
        title: "The slowest calls: \(item.row.title)", xLabel: "one call in so many takes longer",
        yLabel: "time of a malloc or free",
        series: allocators.map { name in
          LogarithmicChart.Series(
            name: name, points: item.times(name, \.calls).tail.map { ($0.rarity, $0.nanoseconds) })
        },
        yText: LogarithmicChart.durationText)
      return (item.row.fileName, Data(chart.svg.utf8))
    }
  }
}
