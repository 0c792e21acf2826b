/// The report as a table for a terminal of 40 to 200 columns.
public struct ResultTable: Sendable {
  private let report: BenchmarkReport
  private let style: TerminalStyle

  /// The table of `report`, in the width of `style`.
  public init(_ report: BenchmarkReport, style: TerminalStyle) {
    self.report = report
    self.style = style
  }

  /// The table with its legend. Each line ends with a newline.
  public var text: String {
    let names = report.workloads.flatMap { $0.results.map(\.policy) } + ["system"]
    let nameWidth = (names.map(\.count).max() ?? 0) + 2
    let widths = columnWidths(nameWidth: nameWidth)
    let tables = blocks(nameWidth, widths).map { lines(of: $0, nameWidth, widths).joined(separator: "\n") + "\n\n" }
    return tables.joined() + legend
  }

  /// All columns, or those of one group at a time where all do not fit beside each other.
  private func blocks(_ nameWidth: Int, _ widths: [Int]) -> [Range<Int>] {
    guard nameWidth + widths.reduce(0, +) > style.columnCount else { return [widths.indices] }
    var blocks: [Range<Int>] = []
    while case let start = blocks.last?.upperBound ?? 0, start < widths.count {
      let group = Self.columns[start...].prefix { $0.group == Self.columns[start].group }.indices
      blocks += style.blocks(of: [nameWidth] + widths[group]).map {
        $0.lowerBound - 1 + start..<$0.upperBound - 1 + start
      }
    }
    return blocks
  }

  private func lines(of columns: Range<Int>, _ nameWidth: Int, _ widths: [Int]) -> [String] {
    var lines = [
      style.text(groupLine(columns, nameWidth, widths), .faint),
      style.text(headingLine(columns, nameWidth, widths), .strong),
    ]
    for workload in report.workloads {
      lines.append(contentsOf: titleLines(workload))
      for result in workload.results {
        lines.append(line(for: result, of: workload, columns, nameWidth, widths))
        if let failure = result.failure {
          lines.append(style.text(failure.wrapped(to: style.columnCount, indent: "    "), .bad))
        }
        if result.failureCount > 0 {
          let count = Figure.count(result.failureCount, "request")
          let text = "\(count) got no memory: figures of this row are flattering"
          lines.append(style.text(text.wrapped(to: style.columnCount, indent: "    "), .bad))
        }
      }
    }
    return lines + meanLines(columns, nameWidth, widths)
  }

  private var isNarrow: Bool { style.columnCount < 100 }

  private func heading(_ column: Column) -> String { isNarrow ? column.shortHeading : column.heading }

  /// Each column's width with the space in front: what it needs, and an even share of the spare room, up to 4.
  private func columnWidths(nameWidth: Int) -> [Int] {
    let needed = Self.columns.map { max(heading($0).count, 5) + 1 }
    let spare = (style.columnCount - nameWidth - needed.reduce(0, +)) / needed.count
    return needed.map { $0 + min(4, max(0, spare)) }
  }

  private func groupLine(_ shown: Range<Int>, _ nameWidth: Int, _ widths: [Int]) -> String {
    var line = String(repeating: " ", count: nameWidth)
    var index = shown.lowerBound
    while index < shown.upperBound {
      let group = Self.columns[index].group
      let columns = Self.columns[index..<shown.upperBound].prefix { $0.group == group }
      let width = widths[columns.indices].reduce(0, +)
      let rule = "─ \(group.rawValue) "
      line += " " + (rule + String(repeating: "─", count: max(0, width - 1 - rule.count))).prefix(width - 1)
      index = columns.endIndex
    }
    return line
  }

  private func headingLine(_ columns: Range<Int>, _ nameWidth: Int, _ widths: [Int]) -> String {
    columns.reduce("policy".rightPadded(to: nameWidth)) { line, index in
      line + heading(Self.columns[index]).leftPadded(to: widths[index])
    }
  }

  private func titleLines(_ workload: WorkloadReport) -> [String] {
    let facts = workload.facts
    let threads = Figure.count(facts.threadCount, "thread")
    let size =
      "\(Figure.count(facts.operationCount)) calls, \(threads), peak live \(ByteCount(facts.peakLiveByteCount))"
    let line = style.text(workload.name, .title) + "  " + size
    guard workload.name.count + 2 + size.count <= style.columnCount else {
      return ["", style.text(workload.name, .title), size.wrapped(to: style.columnCount, indent: "  ")]
    }
    let room = style.columnCount - workload.name.count - size.count - 5
    return ["", room < 20 ? line : line + style.text(" · " + workload.summary.shortened(to: room), .faint)]
  }

  private func line(
    for result: PolicyResult, of workload: WorkloadReport, _ columns: Range<Int>, _ nameWidth: Int, _ widths: [Int]
  ) -> String {
    columns.reduce("  \(result.policy)".rightPadded(to: nameWidth)) { line, index in
      line + (Self.columns[index].cell(result, workload) ?? "–").leftPadded(to: widths[index])
    }
  }

  /// The geometric means over the workloads, if there are several.
  private func meanLines(_ columns: Range<Int>, _ nameWidth: Int, _ widths: [Int]) -> [String] {
    guard report.workloads.count > 1 else { return [] }
    var policies: [String] = []
    for name in report.workloads.flatMap({ $0.results.map(\.policy) }) where !policies.contains(name) {
      policies.append(name)
    }
    let rows = policies.map { name -> String in
      let pairs = report.workloads.compactMap { workload in
        workload.results.first { $0.policy == name }.map { (result: $0, workload: workload) }
      }
      return columns.reduce("  \(name)".rightPadded(to: nameWidth)) { line, index in
        let ratio = Self.columns[index].ratio
        let mean = ratio.flatMap { ratio in pairs.compactMap { ratio($0.result, $0.workload) }.geometricMean }
        return line + (mean.map { Figure.ratio($0) } ?? "").leftPadded(to: widths[index])
      }
    }
    return ["", style.text("all \(report.workloads.count) workloads", .title) + "  geometric means"] + rows
  }

  /// The meaning of the columns, and what the reader must know about this run.
  private var legend: String {
    let overhead = report.workloads.lazy.flatMap(\.results).compactMap(\.latency).first?.clockOverheadNanoseconds
    let rounds = report.settings.roundCount == 1 ? "one round" : "medians of \(report.settings.roundCount) rounds"
    func meanings(_ group: Column.Group) -> [String] {
      Self.columns.filter { $0.group == group }.compactMap { column in
        column.meaning.map { "\(heading(column)): \($0)" }
      }
    }
    let overheadText = Figure.text(overhead ?? 0, significantDigits: 2)
    let parts =
      ["Times are \(rounds)."] + meanings(.throughput)
      + ["latency: of the call alone, without the clock's own \(overheadText) ns."] + meanings(.memory)
    var text = style.text(parts.joined(separator: " ").wrapped(to: style.columnCount), .faint) + "\n"
    if let refusal = report.pinRefusal {
      text += style.text("Memory was not pinned: \(refusal)".wrapped(to: style.columnCount), .bad) + "\n"
    }
    return text
  }
}
