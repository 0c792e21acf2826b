extension ComparisonReport {
  /// All tables that are not empty, then a line for each failure, the goals and the notes.
  public func text(style: TerminalStyle) -> String {
    var parts = processorLine.map { [style.paragraph($0) + "\n"] } ?? []
    parts += tables.map { $0.text(style: style) }
    parts += scaling.map { $0.text(style: style) }
    let lines = failures.map { style.text("failed: \($0)".wrapped(to: style.columnCount, indent: "  "), .bad) }
    if !lines.isEmpty { parts.append(lines.joined(separator: "\n") + "\n") }
    let goals = GoalTable(self)
    if !goals.isEmpty { parts.append(goals.text(style: style)) }
    let notes = notes + sizedFreeNotes
    if !notes.isEmpty { parts.append(notes.map { style.paragraph("note: \($0)") }.joined(separator: "\n") + "\n") }
    return parts.joined(separator: "\n")
  }

  /// What the figures were measured on.
  var processorLine: String? {
    processor.map { "Measured on \($0). On another processor times differ; compare ratios." }
  }

  /// All tables that are not empty.
  var tables: [ComparisonTable] {
    [
      speedTable, faultTable, latencyTable, footprintTable(peak: true), footprintTable(peak: false), idleTable,
      stallTable, programTable(peak: false), programTable(peak: true), startTable, instructionTable,
    ].compactMap { $0 }
  }

  /// The time for each operation: glibc's, and the others' over it.
  var speedTable: ComparisonTable? {
    let rows = items(.speed).map { item in
      ratioRow(item, item.name, first: { Figure.preciseDuration(nanoseconds: $0) }, \.nanosecondsPerOperation)
    }
    guard !rows.isEmpty else { return nil }
    var table = ComparisonTable(
      title: """
        Speed: time of an operation under glibc, and under the others over glibc's, as ratios of medians over \
        interleaved rounds; means are geometric. Processor time on one thread, elapsed time on more. * fastest. \
        Spread: the quartiles of heaplab's ratios in single rounds.
        """, columns: names, tailHeading: Self.spreadHeading(rows), rows: rows)
    guard rows.count > 1 else { return table }
    let glibc = ComparedAllocator.glibc.name
    table.means = [
      meanRow("mean ÷ glibc") { name in
        meanTimeRatio(of: name, .speed) { $0.median(of: glibc, \.nanosecondsPerOperation) }
      },
      meanRow("mean ÷ fastest peer", marksBest: false) {
        meanTimeRatio(of: $0, .speed, over: fastestPeerTime)
      },
    ]
    return table
  }

  /// Resident bytes over live bytes, at the peak or at the end.
  func footprintTable(peak: Bool) -> ComparisonTable? {
    let figure: (DriverFigures) -> Double? = peak ? \.peakRatio : \.endRatio
    let shown = items(.footprint).filter { item in names.contains { item.median(of: $0, figure) != nil } }
    guard !shown.isEmpty else { return nil }
    let rows = shown.map { figureRow($0, $0.name, figure) }
    let title =
      peak
      ? "Footprint: peak resident bytes over peak live bytes, both from the start of the workload. * least."
      : "Footprint: resident bytes over live bytes at the end, where blocks are still live. * least."
    var table = ComparisonTable(title: title, columns: names, rows: rows)
    if rows.count > 1 && shown.count == items(.footprint).count {
      table.means = [meanRow("mean") { mean(of: $0, .footprint, figure) }]
    }
    return table
  }

  /// The processor time or peak resident memory of real programs: glibc's, and the others' over it.
  func programTable(peak: Bool) -> ComparisonTable? {
    let figure: (DriverFigures) -> Double? =
      peak ? { $0.peakResidentByteCount.map(Double.init) } : { Double($0.processorNanoseconds) / Double($0.operations) }
    let rows = items(.program).map { item in
      ratioRow(
        item, item.name,
        first: { peak ? "\(ByteCount(UInt64($0)))" : Figure.preciseDuration(nanoseconds: $0) }, figure)
    }
    guard !rows.isEmpty else { return nil }
    let what = peak ? "peak resident memory" : "processor time"
    var table = ComparisonTable(
      title: "Whole programs: \(what) under glibc, and under the others over glibc's. * least.", columns: names,
      tailHeading: Self.spreadHeading(rows), rows: rows)
    guard rows.count > 1 else { return table }
    let glibc = ComparedAllocator.glibc.name
    table.means = [
      meanRow("mean ÷ glibc") { name in
        mean(of: name, .program, figure).flatMap { own in mean(of: glibc, .program, figure).map { own / $0 } }
      }
    ]
    return table
  }

  /// The instructions of a small malloc and free.
  var instructionTable: ComparisonTable? {
    guard !instructions.isEmpty else { return nil }
    let row = ComparisonTable.Row(
      name: InstructionCount.workload,
      cells: names.map { name in
        instructions[name].map { ComparisonTable.Cell(text: Figure.fixed($0, decimals: 1)) } ?? .missing
      })
    return ComparisonTable(
      title:
        "Instructions of a malloc and free of 64 bytes, the seven of the calling loop included (callgrind). * least.",
      columns: names, rows: [row.markingBest(names.map { instructions[$0] })])
  }

  /// A ratio as text. From 0.995 up it is rounded to 1, as a ratio just above 1 is.
  private static func ratio(_ value: Double) -> String { Figure.ratio((0.995..<1).contains(value) ? 1 : value) }

  private static func spreadHeading(_ rows: [ComparisonTable.Row]) -> String {
    rows.contains { !$0.tail.isEmpty } ? "spread" : ""
  }

  /// A row with glibc's figure, and the others' over it.
  func ratioRow(
    _ item: ComparedItem, _ name: String, first: (Double) -> String, _ figure: (DriverFigures) -> Double?
  ) -> ComparisonTable.Row {
    let glibc = ComparedAllocator.glibc.name
    let base = item.median(of: glibc, figure)
    let cells = names.map { name in
      cell(item, name, figure) { value in
        name == glibc ? first(value) : base.map { Self.ratio(value / $0) } ?? first(value)
      }
    }
    var row = ComparisonTable.Row(name: name, cells: cells)
    if let own = rounds(item, ComparedAllocator.heaplabName, figure), let other = rounds(item, glibc, figure),
      let spread = RatioSpread(own, over: other), own.count > 1
    {
      row.tail = "\(Self.ratio(spread.lowerQuartile))–\(Self.ratio(spread.upperQuartile))"
    }
    return row.markingBest(names.map { item.median(of: $0, figure) })
  }

  /// A row with every allocator's own figure.
  func figureRow(_ item: ComparedItem, _ name: String, _ figure: (DriverFigures) -> Double?) -> ComparisonTable.Row {
    let cells = names.map { cell(item, $0, figure) { Figure.text($0, significantDigits: 3) } }
    return ComparisonTable.Row(name: name, cells: cells).markingBest(names.map { item.median(of: $0, figure) })
  }

  private func rounds(_ item: ComparedItem, _ name: String, _ figure: (DriverFigures) -> Double?) -> [Double]? {
    item.runs[name].flatMap { $0.failure == nil ? $0.figures.compactMap(figure) : nil }
  }

  func cell(
    _ item: ComparedItem, _ name: String, _ figure: (DriverFigures) -> Double?, _ text: (Double) -> String
  ) -> ComparisonTable.Cell {
    if item.runs[name]?.failure != nil { return .failed }
    return item.median(of: name, figure).map { ComparisonTable.Cell(text: text($0)) } ?? .missing
  }

  /// A row of means, one for each allocator.
  private func meanRow(_ name: String, marksBest: Bool = true, _ value: (String) -> Double?) -> ComparisonTable.Row {
    let values = names.map(value)
    let cells = values.map { value in
      value.map { ComparisonTable.Cell(text: Self.ratio($0)) } ?? .missing
    }
    let row = ComparisonTable.Row(name: name, cells: cells)
    return marksBest ? row.markingBest(values) : row
  }
}
