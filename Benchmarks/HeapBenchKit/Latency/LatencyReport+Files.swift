public import Foundation

extension LatencyReport {
  /// A row's figures under an allocator, as files have them.
  private struct Entry: Encodable {
    let sizes: [Int]
    let threads: Int
    let allocator: String
    /// Nanoseconds by quantile, of all rounds together.
    let malloc: [String: Double]
    let free: [String: Double]
    /// Nanoseconds by quantile, a number for each round.
    let rounds: [String: [Double]]
    let pageFaultsPerMillion: Double?
    let voluntarySwitchesPerMillion: Double?
    let involuntarySwitchesPerMillion: Double?
    let systemCallsPerMillion: Double?
    let failure: String?
  }

  private struct Document: Encodable {
    let neighbourByteCount: Int?
    let notes: [String]
    let rows: [Entry]
  }

  private var entries: [Entry] {
    items.flatMap { item in
      allocators.map { name in
        let rounds = CallTimes.quantiles.map { quantile in
          (quantile.name, (item.runs[name] ?? []).compactMap { $0.calls.quantile(quantile.share) })
        }
        return Entry(
          sizes: [item.row.least, item.row.most], threads: item.row.threadCount, allocator: name,
          malloc: Self.quantiles(item.times(name, \.mallocs)), free: Self.quantiles(item.times(name, \.frees)),
          rounds: Dictionary(uniqueKeysWithValues: rounds),
          pageFaultsPerMillion: item.perMillion(name) { $0.minorFaultCount + $0.majorFaultCount },
          voluntarySwitchesPerMillion: item.perMillion(name, \.voluntarySwitchCount),
          involuntarySwitchesPerMillion: item.perMillion(name, \.involuntarySwitchCount),
          systemCallsPerMillion: item.systemCallsPerMillion[name], failure: item.failures[name])
      }
    }
  }

  private static func quantiles(_ times: CallTimes) -> [String: Double] {
    let values = CallTimes.quantiles.compactMap { quantile in
      times.quantile(quantile.share).map { (quantile.name, $0) }
    }
    return Dictionary(uniqueKeysWithValues: values)
  }

  /// The report as JSON.
  public func json() throws -> Data {
    try Document(neighbourByteCount: neighbourByteCount, notes: notes, rows: entries).json()
  }

  /// The report as CSV: a line for each row, allocator and function.
  public var csv: String {
    var lines = [
      (["least", "most", "threads", "allocator", "function"] + CallTimes.quantiles.map(\.name)).joined(separator: ",")
    ]
    for entry in entries {
      for (function, times) in [("malloc", entry.malloc), ("free", entry.free)] {
        let figures = CallTimes.quantiles.map { quantile in
          times[quantile.name].map { Figure.fixed($0, decimals: 1) } ?? ""
        }
        let keys = entry.sizes.map(String.init) + ["\(entry.threads)", entry.allocator.quotedForCSV, function]
        lines.append((keys + figures).joined(separator: ","))
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
