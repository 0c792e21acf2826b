extension ComparisonReport {
  /// The report as a document in Markdown: a chart of the means, every table, and the goals.
  ///
  /// - Parameters:
  ///   - chart: The name of the chart's file, beside the document.
  ///   - showsCurves: Whether the pictures of the curves by threads lie beside the document.
  public func markdown(chart: String, showsCurves: Bool = false) -> String {
    let style = TerminalStyle(columnCount: 120, hasColour: false)
    var parts = [
      "# libheaplab.so beside other allocators",
      "`heapbench compare` measured these tables and wrote this page; `scripts/bench --peers --document FILE` does so again."
        + " The allocators took turns on one machine. A star marks the best of a row.",
    ]
    if let processorLine { parts.append(processorLine) }
    if isWhole { parts.append("![Means over all workloads](\(chart))") }
    for table in tables {
      let colon = table.title.firstIndex(of: ":") ?? table.title.endIndex
      parts.append("## \(table.title[..<colon])")
      parts.append(String(table.title[colon...].dropFirst(2)).prefixCapitalised)
      parts.append(Self.fenced(table.body(style: style)))
    }
    if !scaling.isEmpty { parts.append("## From 1 to \(ScalingCurve.allThreadCounts.last ?? 1) threads") }
    for curve in scaling {
      if showsCurves { parts.append("![\(curve.name) by the number of threads](\(curve.fileName))") }
      parts.append(Self.fenced(curve.text(style: style)))
    }
    parts.append("## Goals")
    parts.append(Self.fenced(GoalTable(self).text(style: style)))
    parts += (notes + sizedFreeNotes).map { "Note: \($0)." }
    return parts.map { ($0.hasPrefix("```") ? $0 : style.paragraph($0)) + "\n" }.joined(separator: "\n")
  }

  private static func fenced(_ text: String) -> String { "```\n" + text + "```" }

  /// The means of all allocators as bars; nil unless all workloads were measured.
  public var chart: String? {
    guard isWhole else { return nil }
    let glibc = ComparedAllocator.glibc.name
    func group(_ title: String, _ value: (String) -> Double?) -> BarChart.Group {
      BarChart.Group(title: title, bars: names.compactMap { name in value(name).map { (name, $0) } })
    }
    func overGlibc(_ kind: ComparedItem.Kind, _ figure: @escaping (DriverFigures) -> Double?) -> (String) -> Double? {
      { name in
        self.mean(of: name, kind, figure).flatMap { own in self.mean(of: glibc, kind, figure).map { own / $0 } }
      }
    }
    let groups = [
      group("Speed: time over glibc's, \(Figure.count(items(.speed).count, "workload"))") { name in
        self.meanTimeRatio(of: name, .speed) { $0.median(of: glibc, \.nanosecondsPerOperation) }
      },
      group("Footprint: peak resident over live bytes, \(Figure.count(items(.footprint).count, "pattern"))") {
        self.mean(of: $0, .footprint, \.peakRatio)
      },
      group(
        "Programs: processor time over glibc's, \(Figure.count(items(.program).count, "program"))",
        overGlibc(.program) { Double($0.processorNanoseconds) / Double($0.operations) }),
      group(
        "Programs: peak resident memory over glibc's",
        overGlibc(.program) { $0.peakResidentByteCount.map(Double.init) }),
    ].filter { !$0.bars.isEmpty }
    return BarChart(
      title: "Geometric means, less is better; an arrow marks a bar that is cut", groups: groups,
      highlighted: ComparedAllocator.heaplabName, notes: [losses].compactMap { $0 }
    ).svg
  }

  /// Where heaplab is slower than glibc.
  private var losses: String? {
    let slower = items(.speed).compactMap { item in
      item.timeRatio(ComparedAllocator.heaplabName, over: ComparedAllocator.glibc.name).flatMap { spread in
        spread.ratio > 1.005 ? "\(item.name) (\(Figure.ratio(spread.ratio)))" : nil
      }
    }
    return slower.isEmpty ? nil : "heaplab is slower than glibc in \(slower.joined(separator: ", "))"
  }
}

extension String {
  /// The text with its first letter in upper case.
  fileprivate var prefixCapitalised: String { prefix(1).uppercased() + dropFirst() }
}
