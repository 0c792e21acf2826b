public import Foundation

/// What a trace does under policies and allocators.
public struct TraceReplayReport: Sendable, Encodable {
  /// Where a policy places the blocks.
  struct PolicyResult: Sendable, Encodable {
    let policy: String
    var layout: LayoutReport?
    /// Why it has no figures, although nothing failed.
    var leftOut: String?
    var failure: String?
  }

  /// What an allocator does.
  struct AllocatorResult: Sendable, Encodable {
    let allocator: String
    var figures: DriverFigures?
    var failure: String?
  }

  /// The trace's name, and one sentence on whose behaviour it is.
  public let trace: String
  public let summary: String
  /// The facts about the trace, which no allocator changes.
  public let facts: WorkloadFacts
  /// Whether the trace had its end.
  public let isWhole: Bool
  /// The frees of blocks from before the recording, which no replay makes.
  let earlierFreeCount: UInt64
  /// The mean bytes from one sample to the next; 0 for a trace of all calls.
  let sampleByteCount: UInt64
  /// Whether everything was replayed.
  public internal(set) var isComplete = true
  var policies: [PolicyResult] = []
  var allocators: [AllocatorResult] = []
  /// Who allocated what was live at the peak; nil for a trace without call stacks.
  public internal(set) var sites: CallSites?

  init(_ plan: ReplayPlan, _ file: TraceFile) {
    trace = plan.name
    summary = plan.summary
    facts = plan.facts
    isWhole = file.isWhole
    earlierFreeCount = file.text.counts["earlierFrees"] ?? 0
    sampleByteCount = file.sampleByteCount
  }

  /// Whether there is no figure.
  public var isEmpty: Bool { policies.isEmpty && allocators.isEmpty && sites == nil }

  /// Whether something could not be replayed.
  public var hasFailures: Bool {
    policies.contains { $0.failure != nil } || allocators.contains { $0.failure != nil }
  }

  /// The report as JSON.
  public func json() throws -> Data { try (self as any Encodable).json() }

  /// The report as tables.
  public func text(style: TerminalStyle) -> String {
    var facts = [
      Figure.count(facts.operationCount, "call"), Figure.count(facts.threadCount, "thread"),
      "peak live \(ByteCount(facts.peakLiveByteCount))", summary,
    ]
    if earlierFreeCount > 0 {
      facts.insert("\(Figure.count(Int(earlierFreeCount), "free")) of blocks from before the recording", at: 2)
    }
    if sampleByteCount > 0 { facts.insert("samples, one in \(ByteCount(sampleByteCount))", at: 0) }
    var text = style.paragraph("\(trace)  \(facts.joined(separator: " · "))") + "\n"
    if !policies.isEmpty { text += "\n" + policyTable }
    if !allocators.isEmpty { text += "\n" + allocatorTable }
    if let sites { text += "\n" + sites.text }
    return text
  }

  private var policyTable: String {
    var rows = [["policy", "heap", "blow-up", "waste", "ext.frag", "forced", "holes"]]
    for result in policies {
      guard let layout = result.layout else {
        rows.append([result.policy, result.failure ?? result.leftOut ?? ""])
        continue
      }
      rows.append([
        result.policy, "\(ByteCount(layout.peakHeapByteCount))", Figure.ratio(layout.blowUpOverOracle),
        Figure.ratio(layout.internalWaste), Figure.percent(layout.worstSample.externalFragmentation),
        Figure.percent(layout.forcedGrowthShare), Figure.count(Int(layout.worstSample.holeCount)),
      ])
    }
    rows.append(["oracle", "\(ByteCount(facts.oraclePeakByteCount))", Figure.ratio(1)])
    return Self.table(rows)
  }

  private var allocatorTable: String {
    var rows = [["allocator", "ns a call", "peak", "peak÷live", "end"]]
    for result in allocators {
      guard let figures = result.figures else {
        rows.append([result.allocator, result.failure ?? ""])
        continue
      }
      let peak = UInt64(figures.peakResidentByteCount ?? 0)
      rows.append([
        result.allocator,
        String(format: "%.1f", Double(figures.processorNanoseconds) / Double(max(1, figures.operations))),
        "\(ByteCount(peak))",
        facts.peakLiveByteCount == 0 ? "–" : Figure.ratio(Double(peak) / Double(facts.peakLiveByteCount)),
        "\(ByteCount(UInt64(figures.endResidentByteCount ?? 0)))",
      ])
    }
    return Self.table(rows)
  }

  /// Rows of one width: the first column to the left, the others to the right. A row of two cells is a name and a
  /// sentence.
  private static func table(_ rows: [[String]]) -> String {
    let widths = (0..<rows[0].count).map { column in
      rows.filter { $0.count > 2 }.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0
    }
    let nameWidth = max(widths[0], rows.map { $0[0].count }.max() ?? 0)
    return rows.map { row in
      var line = row[0].padding(toLength: nameWidth, withPad: " ", startingAt: 0)
      for column in 1..<row.count {
        let space = row.count == 2 ? 0 : max(0, widths[column] - row[column].count)
        line += "  " + String(repeating: " ", count: space) + row[column]
      }
      return line + "\n"
    }.joined()
  }
}
