/// A number that the gate compares with its baseline: its name, how far it may change, and what it depends on.
public struct GateFigure: Hashable, Sendable {
  /// Which change is an improvement.
  enum Direction: Hashable, Sendable {
    /// Less is better: instructions, bytes, faults.
    case less
    /// More is better.
    case more
    /// Neither is better: somebody must look at every change beyond the tolerance.
    case neither
  }

  /// Parts joined by slashes: the group, what is measured, the workload, and which of several figures this is.
  public let name: String

  /// How far the figure may change.
  public let tolerance: GateTolerance

  /// Which change is an improvement.
  let better: Direction

  /// The traits of the machine that the number depends on. Where one of them differs from the baseline's, the figure is
  /// not compared.
  let traits: Set<GateMachine.Trait>

  /// Whether it is a ratio of times. Other work on the machine changes these, however often they are repeated.
  let isTime: Bool

  init(
    _ name: String, _ tolerance: GateTolerance, better: Direction = .less, isTime: Bool = false,
    dependsOn traits: Set<GateMachine.Trait>
  ) {
    self.name = name
    self.tolerance = tolerance
    self.better = better
    self.isTime = isTime
    self.traits = traits
  }

  /// Whether `name` chooses this figure: as its whole name, or as one or more whole parts of it in a row.
  func isChosen(by name: String) -> Bool { Self.isName(self.name, chosenBy: name) }

  static func isName(_ figure: String, chosenBy name: String) -> Bool {
    !name.isEmpty && "/\(figure)/".contains("/\(name)/")
  }
}

/// How far a figure may lie from its baseline: by a share of the baseline or by a number, whichever allows more.
public struct GateTolerance: Hashable, Sendable, CustomStringConvertible {
  /// The share of the baseline.
  let share: Double

  /// The number, in the figure's own unit.
  let margin: Double

  /// No tolerance: the figure must be equal.
  static let exact = GateTolerance(share: 0, margin: 0)

  /// A number of percent of the baseline, and at least `margin`.
  static func percent(_ percent: Double, orAtLeast margin: Double = 0) -> GateTolerance {
    GateTolerance(share: percent / 100, margin: margin)
  }

  /// The largest allowed distance from this baseline.
  func allowance(around baseline: Double) -> Double { max(share * abs(baseline), margin) }

  public var description: String {
    if self == .exact { return "exact" }
    let percent = Figure.text(share * 100, significantDigits: 2) + "%"
    return margin == 0 ? percent : "\(percent) or \(GateNumber.text(margin))"
  }
}

/// Figures as text: whole numbers with separators, others with at most five digits.
enum GateNumber {
  static func text(_ value: Double) -> String {
    guard abs(value) < 1e15 else { return "\(value)" }
    if value == value.rounded() || abs(value) >= 10_000 { return Figure.count(Int(value.rounded())) }
    let text = Figure.text(value, significantDigits: 5)
    return text.contains(".") ? String(text.reversed().drop { $0 == "0" }.drop { $0 == "." }.reversed()) : text
  }

  /// The change from `old` to `new`: in percent, or as a difference where `old` is 0.
  static func change(from old: Double, to new: Double) -> String {
    if new == old { return "0" }
    let sign = new > old ? "+" : "−"
    guard old != 0 else { return sign + text(abs(new - old)) }
    let percent = abs(new - old) / abs(old) * 100
    return sign + (percent < 0.005 ? "<0.01" : Figure.fixed(percent, decimals: percent < 9.995 ? 2 : 0)) + "%"
  }
}
