extension LatencyReport {
  /// The report as tables and plots.
  public func text(style: TerminalStyle) -> String {
    var text = items.map { table(of: $0).text(style: style) + "\n" + plot(of: $0, style) + "\n" }.joined()
    for item in items {
      for (name, failure) in item.failures.sorted(by: { $0.key < $1.key }) {
        text += style.paragraph("\(item.row.title): \(name): \(failure)") + "\n"
      }
    }
    for note in notes { text += style.paragraph(note) + "\n" }
    return text
  }

  private func table(of item: Item) -> ComparisonTable {
    let calls: [(String, (TailRun) -> CallTimes)] = [("malloc", \.mallocs), ("free", \.frees)]
    var rows = calls.flatMap { name, calls in
      CallTimes.quantiles.map { quantile in
        row("\(name) \(quantile.name)", item) { item.times($0, calls).quantile(quantile.share) }
      }
    }
    rows += [
      row("page faults", item) { item.perMillion($0) { $0.minorFaultCount + $0.majorFaultCount } },
      row("gave way", item) { item.perMillion($0, \.voluntarySwitchCount) },
      row("was stopped", item) { item.perMillion($0, \.involuntarySwitchCount) },
    ]
    if !item.systemCallsPerMillion.isEmpty {
      rows.append(row("system calls", item) { item.systemCallsPerMillion[$0] })
    }
    let neighbour = neighbourByteCount.map {
      ", beside a process that maps, writes and returns \(ByteCount(UInt64($0)))"
    }
    return ComparisonTable(
      title: """
        \(item.row.title)\(neighbour ?? ""). Nanoseconds of single calls, without the time of the clock, of \
        \(Figure.count(roundCount, "round")) together; then what happened in a million replacements: page faults, \
        switches to other threads that the thread asked for and did not ask for, system calls. * least.
        """, columns: allocators, rows: rows)
  }

  private func row(_ name: String, _ item: Item, _ figure: (String) -> Double?) -> ComparisonTable.Row {
    let values = allocators.map { item.failures[$0] == nil ? figure($0) : nil }
    let cells = zip(allocators, values).map { allocator, value -> ComparisonTable.Cell in
      if item.failures[allocator] != nil { return .failed }
      return value.map { ComparisonTable.Cell(text: Figure.text($0, significantDigits: 3)) } ?? .missing
    }
    return ComparisonTable.Row(name: name, cells: cells).markingBest(values)
  }

  private func plot(of item: Item, _ style: TerminalStyle) -> String {
    let series = allocators.map { name in TailPlot.Series(name: name, tail: item.times(name, \.calls).tail) }
    return TailPlot(series: series, columnCount: min(100, style.columnCount)).text
  }
}
