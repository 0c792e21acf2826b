public import Foundation

extension GateReport {
  private struct File: Codable {
    struct Row: Codable {
      let figure: String
      let baseline: Double?
      let now: Double?
      let toleranceShare: Double?
      let toleranceMargin: Double?
      let verdict: GateVerdict
      let obstacle: String?
    }
    let hasRegressed: Bool
    let isIncomplete: Bool
    let isUndecided: Bool
    let remarks: [String]
    let figures: [Row]
  }

  /// The report as JSON, for programs.
  public func json() throws -> Data {
    let rows = rows.map {
      File.Row(
        figure: $0.name, baseline: $0.baseline, now: $0.now, toleranceShare: $0.tolerance?.share,
        toleranceMargin: $0.tolerance?.margin, verdict: $0.verdict, obstacle: $0.obstacle?.description)
    }
    return try File(
      hasRegressed: hasRegressed, isIncomplete: isIncomplete, isUndecided: isUndecided, remarks: remarks, figures: rows
    ).json()
  }
}
