/// How long how many calls took, in classes of about one part in 128.
struct CallTimes: Sendable {
  /// Times in nanoseconds, ascending, each with the calls that took it.
  private(set) var classes: [(nanoseconds: Double, count: Int)] = []
  /// The number of calls.
  private(set) var count = 0

  /// The quantiles that tables show, by their names.
  static let quantiles: [(name: String, share: Double)] = [
    ("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999), ("p99.999", 0.99999), ("max", 1),
  ]

  init() {}

  /// The times of these classes, in any order.
  init(_ classes: [(nanoseconds: Double, count: Int)]) {
    self.classes = classes.sorted { $0.nanoseconds < $1.nanoseconds }
    count = classes.reduce(0) { $0 + $1.count }
  }

  /// All times of several series.
  init(merging series: [CallTimes]) {
    self.init(series.flatMap(\.classes))
  }

  /// The time that a share of the calls does not exceed; nil without calls.
  func quantile(_ share: Double) -> Double? {
    let rank = Int((Double(count) * share).rounded(.up))
    var seen = 0
    for (nanoseconds, count) in classes {
      seen += count
      if seen >= rank { return nanoseconds }
    }
    return classes.last?.nanoseconds
  }

  /// The tail: for each factor of ten in rarity, eight points. One call in `rarity` takes longer than `nanoseconds`.
  var tail: [(rarity: Double, nanoseconds: Double)] {
    guard count > 0 else { return [] }
    var points: [(rarity: Double, nanoseconds: Double)] = []
    var rarity = 2.0
    while rarity <= Double(count) {
      // A call of no more than the clock's step has no place on a logarithmic axis.
      if let time = quantile(1 - 1 / rarity) { points.append((rarity, max(1, time))) }
      rarity *= Self.tailStep
    }
    if let longest = quantile(1) { points.append((Double(max(2, count)), max(1, longest))) }
    return points
  }

  /// The eighth root of 10.
  private static let tailStep = 1.333_521_432_163_324
}
