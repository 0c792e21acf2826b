// Single calls: their times on one thread, and the page faults that they cause when blocks change threads.

extension ComparisonReport {
  /// The quantiles of the times of single calls, in nanoseconds.
  var latencyTable: ComparisonTable? {
    let rows = items(.latency).flatMap { item in
      DriverFigures.timedCalls.flatMap { call in
        CallLatency.quantiles.map { quantile in
          figureRow(item, "\(call.name) \(quantile.name)") { figures in
            call.latency(figures).map { Double(quantile.picoseconds($0)) / 1000 }
          }
        }
      }
    }
    guard !rows.isEmpty else { return nil }
    return ComparisonTable(
      title: """
        Latency: nanoseconds of single calls on one thread that replaces 10,000 blocks of 16 to 512 bytes, without the \
        time of the clock. No figure is finer than the step of the processor's counter, 10 ns on some. * least.
        """, columns: names, rows: rows)
  }

  /// The page faults of pipelines, in which the heap grows and shrinks with the batches that wait.
  var faultTable: ComparisonTable? {
    let rows = items(.speed).filter { $0.name.hasPrefix("pipeline-") }.map { item in
      figureRow(item, item.name, \.faultsPerMillion)
    }
    guard !rows.isEmpty else { return nil }
    return ComparisonTable(
      title: "Page faults: for a million blocks that one thread allocates and another one frees. * least.",
      columns: names, rows: rows)
  }

  /// A line for each allocator that was asked to free blocks by their size and cannot.
  var sizedFreeNotes: [String] {
    names.compactMap { name in
      let rows = items(.speed).filter { $0.runs[name]?.figures.contains { $0.unsizedFrees == 1 } == true }
      guard let first = rows.first else { return nil }
      let others = rows.count > 1 ? " and \(Figure.count(rows.count - 1, "more row"))" : ""
      return "\(name) has no free that takes a size: \(first.name)\(others) called free"
    }
  }
}
