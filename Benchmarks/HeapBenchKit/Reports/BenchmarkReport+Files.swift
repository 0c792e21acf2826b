public import Foundation

extension BenchmarkReport {
  /// The report as JSON, keys in alphabetical order. Equal reports give equal bytes.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self) + Data("\n".utf8)
  }

  /// The report as CSV (RFC 4180): a line of keys, then one line for each workload and policy.
  public var csv: String {
    let columns = Self.csvColumns
    var lines = [columns.map(\.key)]
    for workload in workloads {
      for result in workload.results { lines.append(columns.map { $0.field(result, workload) ?? "" }) }
    }
    return lines.map { $0.joined(separator: ",") + "\r\n" }.joined()
  }
}
