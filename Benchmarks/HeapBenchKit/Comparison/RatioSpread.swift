/// How two series of interleaved rounds compare: the ratio of their medians, and how far single rounds' ratios spread.
public struct RatioSpread: Codable, Hashable, Sendable {
  /// The one's median over the other's.
  public let ratio: Double
  /// The lower quartile of the rounds' ratios.
  public let lowerQuartile: Double
  /// The upper one.
  public let upperQuartile: Double

  /// `own` over `reference`, a number for each round; nil when there is none or a reference is not positive.
  public init?(_ own: [Double], over reference: [Double]) {
    guard !own.isEmpty, own.count == reference.count, reference.allSatisfy({ $0 > 0 }),
      let median = own.median, let referenceMedian = reference.median
    else { return nil }
    ratio = median / referenceMedian
    let ratios = zip(own, reference).map { $0 / $1 }.sorted()
    lowerQuartile = Self.quantile(0.25, of: ratios)
    upperQuartile = Self.quantile(0.75, of: ratios)
  }

  /// The quantile of sorted numbers, between two neighbours by their distances.
  static func quantile(_ share: Double, of sorted: [Double]) -> Double {
    let place = share * Double(sorted.count - 1)
    let index = Int(place)
    let next = min(index + 1, sorted.count - 1)
    return sorted[index] + (place - Double(index)) * (sorted[next] - sorted[index])
  }
}
