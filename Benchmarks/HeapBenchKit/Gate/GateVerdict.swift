/// The verdict on a figure beside its baseline.
enum GateVerdict: String, Hashable, Sendable, Codable {
  /// The figure is within its tolerance.
  case holds
  /// The figure is worse than its tolerance allows.
  case worse
  /// The figure is beyond its tolerance, and neither direction is better.
  case moved
  /// The figure is better than its tolerance: the baseline is out of date.
  case better
  /// The baseline is of a machine or a build on which the figure may differ.
  case foreign
  /// The baseline does not have the figure.
  case new
  /// Only the baseline has the figure.
  case unknown
  /// The figure could not be measured.
  case unmeasured
  /// The times differed too much from round to round.
  case undecided

  /// Whether the figure makes the gate fail.
  var isRegression: Bool { self == .worse || self == .moved }

  /// Whether one of the two numbers is missing. A gate that passed then would hide it.
  var isIncomplete: Bool { self == .new || self == .unknown || self == .unmeasured }

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

/// A row of the report.
struct GateRow: Hashable, Sendable {
  let name: String
  /// The figure's tolerance; nil for a figure that only the baseline has.
  var tolerance: GateTolerance?
  var baseline: Double?
  var now: Double?
  var verdict: GateVerdict
  /// Why it was not measured.
  var obstacle: GateObstacle?
}
