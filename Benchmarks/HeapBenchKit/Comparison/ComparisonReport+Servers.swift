// What a server suffers from beside slow calls and a high peak: memory that idle threads keep, and single calls for which
// all wait.

extension ComparisonReport {
  /// The KiB that each idle thread keeps, before and after `malloc_trim(0)`.
  var idleTable: ComparisonTable? {
    let rows = items(.idle).flatMap { item in
      [
        figureRow(item, item.name, \.idleKiBPerThread),
        figureRow(item, "after malloc_trim", \.trimmedKiBPerThread),
      ]
    }
    guard !rows.isEmpty else { return nil }
    return ComparisonTable(
      title: "Idle threads: resident KiB for each thread that served short requests and sleeps. * least.",
      columns: names, rows: rows)
  }

  /// The milliseconds of the slowest call.
  var stallTable: ComparisonTable? {
    let rows = items(.stall).map { figureRow($0, $0.name, \.slowestMilliseconds) }
    guard !rows.isEmpty else { return nil }
    return ComparisonTable(
      title: """
        Stalls: milliseconds of the slowest call. Of one thread's frees, processor time; of another thread's calls \
        beside them, elapsed time. * least.
        """, columns: names, rows: rows)
  }
}
