public import Foundation

extension ComparisonReport {
  /// The report as JSON, with every round of every allocator.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self) + Data("\n".utf8)
  }

  /// The columns with a run's figures: the key, and the figure, nil where the run has none.
  private static let figureColumns: [(key: String, figure: @Sendable (DriverFigures) -> Int?)] =
    countColumns + latencyColumns

  private static let countColumns: [(key: String, figure: @Sendable (DriverFigures) -> Int?)] = [
    ("threads", { $0.threads }),
    ("operations", { $0.operations }),
    ("nanoseconds", { $0.nanoseconds }),
    ("processor_nanoseconds", { $0.processorNanoseconds }),
    ("minor_faults", { $0.minorFaultCount }),
    ("peak_live_bytes", { $0.peakLiveByteCount }),
    ("peak_resident_bytes", { $0.peakResidentByteCount }),
    ("end_live_bytes", { $0.endLiveByteCount }),
    ("end_resident_bytes", { $0.endResidentByteCount }),
    ("idle_resident_bytes", { $0.idleResidentByteCount }),
    ("trimmed_resident_bytes", { $0.trimmedResidentByteCount }),
    ("slowest_nanoseconds", { $0.slowestNanoseconds }),
    ("unsized_frees", { $0.unsizedFrees }),
  ]

  /// A column for each quantile of each function's calls, such as `malloc_p99.99_picoseconds`.
  private static let latencyColumns: [(key: String, figure: @Sendable (DriverFigures) -> Int?)] =
    DriverFigures.timedCalls.flatMap { call in
      CallLatency.quantiles.map { quantile in
        let figure: @Sendable (DriverFigures) -> Int? = { call.latency($0).map(quantile.picoseconds) }
        return ("\(call.name)_\(quantile.name)_picoseconds", figure)
      }
    }

  /// The keys of the columns of ``csv``.
  public static let csvColumns =
    ["kind", "workload", "allocator", "round"] + figureColumns.map(\.key) + ["failure"]

  /// The report as CSV (RFC 4180): a line for each run, and one for each failure.
  public var csv: String {
    let all = items.map { (kind: $0.kind.rawValue, item: $0) } + scaling.flatMap(\.items).map { ("scaling", $0) }
    var lines = [Self.csvColumns]
    for (kind, item) in all {
      for name in names {
        guard let runs = item.runs[name] else { continue }
        for (round, run) in runs.figures.enumerated() {
          let fields = Self.figureColumns.map { $0.figure(run).map { "\($0)" } ?? "" }
          lines.append([kind, item.name, name, "\(round + 1)"] + fields + [""])
        }
        if let failure = runs.failure {
          let blanks = [String](repeating: "", count: Self.figureColumns.count + 1)
          lines.append([kind, item.name, name] + blanks + [failure])
        }
      }
    }
    return lines.map { $0.map(\.quotedForCSV).joined(separator: ",") + "\r\n" }.joined()
  }
}
