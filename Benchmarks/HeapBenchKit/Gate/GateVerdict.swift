/// What came of holding a figure against its baseline.
enum GateVerdict: String, Hashable, Sendable, Codable {
  /// Within its tolerance.
  case holds
  /// Beyond it, for the worse.
  case worse
  /// Beyond it, where neither way is better.
  case moved
  /// Beyond it, for the better: the baseline is out of date.
  case better
  /// The baseline is of a machine or a build on which the figure may differ.
  case foreign
  /// The baseline has no such figure.
  case new
  /// Nothing here measures what the baseline has.
  case unknown
  /// It could not be measured.
  case unmeasured

  /// Whether the change under test is to blame.
  var isRegression: Bool { self == .worse || self == .moved }

  /// Whether nothing can be said about the figure, so that a gate that passed would be a silent pass.
  var isUndecided: Bool { self == .new || self == .unknown || self == .unmeasured }

  /// The verdict on `now` beside `baseline`.
  init(_ figure: GateFigure, baseline: Double, now: Double) {
    if abs(now - baseline) <= figure.tolerance.allowance(around: baseline) {
      self = .holds
    } else {
      switch figure.better {
      case .less: self = now < baseline ? .better : .worse
      case .more: self = now > baseline ? .better : .worse
      case .neither: self = .moved
      }
    }
  }
}

/// A figure of the report.
struct GateRow: Hashable, Sendable {
  let name: String
  /// Nothing for a figure that only the baseline knows.
  var tolerance: GateTolerance?
  var baseline: Double?
  var now: Double?
  let verdict: GateVerdict
  /// Why it was not measured.
  var obstacle: GateObstacle?
}
