public import Foundation

extension ComparisonReport {
  /// The report as JSON, every round of every allocator in it.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self) + Data("\n".utf8)
  }

  /// The keys of the columns of ``csv``.
  public static let csvColumns = [
    "kind", "workload", "allocator", "round", "threads", "operations", "nanoseconds", "processor_nanoseconds",
    "minor_faults", "peak_live_bytes", "peak_resident_bytes", "end_live_bytes", "end_resident_bytes", "failure",
  ]

  /// The report as CSV (RFC 4180): a line for each run, and one for each failure.
  public var csv: String {
    let all = items.map { (kind: $0.kind.rawValue, item: $0) } + scaling.flatMap(\.items).map { ("scaling", $0) }
    var lines = [Self.csvColumns]
    for (kind, item) in all {
      for name in names {
        guard let runs = item.runs[name] else { continue }
        for (round, figures) in runs.figures.enumerated() {
          lines.append([kind, item.name, name, "\(round + 1)"] + Self.fields(of: figures) + [""])
        }
        if let failure = runs.failure {
          let blanks = [String](repeating: "", count: Self.csvColumns.count - 4)
          lines.append([kind, item.name, name] + blanks + [failure])
        }
      }
    }
    return lines.map { $0.map(Self.quoted).joined(separator: ",") + "\r\n" }.joined()
  }

  private static func fields(of figures: DriverFigures) -> [String] {
    [
      figures.threads, figures.operations, figures.nanoseconds, figures.processorNanoseconds, figures.minorFaultCount,
    ].map { "\($0)" }
      + [
        figures.peakLiveByteCount, figures.peakResidentByteCount, figures.endLiveByteCount,
        figures.endResidentByteCount,
      ].map { $0.map { "\($0)" } ?? "" }
  }

  /// A field, in quotes where it needs them.
  private static func quoted(_ field: String) -> String {
    field.contains(where: { ",\"\r\n".contains($0) })
      ? "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : field
  }
}
