/// Rounds of a measurement that is repeated until the last of them agree: until nothing else disturbs them.
struct QuietRounds {
  /// The number of rounds that must agree.
  let agreeingCount: Int

  /// The number of rounds after which the measurement is given up.
  let countMaximum: Int

  /// How far apart the quartiles of agreeing rounds may lie, as a share of their median. A tolerance is several times as
  /// wide, so that a median of agreeing rounds does not cross it by chance.
  static let spreadMaximum = 0.12

  private var values: [Double] = []
  private var count = 0

  /// Rounds of which the last `agreeingCount` must agree.
  init(agreeing agreeingCount: Int, atMost countMaximum: Int) {
    self.agreeingCount = agreeingCount
    self.countMaximum = countMaximum
  }

  /// Takes the value of one more round, nil for a round that does not count, and returns the median once the last
  /// rounds agree.
  ///
  /// - Throws: ``GateObstacle`` when no further round is allowed.
  mutating func median(after value: Double?) throws(GateObstacle) -> Double? {
    count += 1
    if let value { values.append(value) }
    let last = values.suffix(agreeingCount).sorted()
    if last.count == agreeingCount {
      let median = last[agreeingCount / 2]
      // Of three rounds the quartiles are the least and the greatest.
      let spread = last[agreeingCount * 3 / 4] - last[agreeingCount / 4]
      if spread <= Self.spreadMaximum * median { return median }
    }
    guard count < countMaximum else {
      throw GateObstacle(
        "other work on this machine keeps the times apart (\(countMaximum) rounds, \(values.count) of which counted): "
          + "run 'heapbench gate --only ratio' when it is idle", isNoise: true)
    }
    return nil
  }
}
