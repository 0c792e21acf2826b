/// Two series of interleaved rounds compared: the ratio of their medians, and the spread of the single rounds' ratios.
public struct RatioSpread: Codable, Hashable, Sendable {
  /// The ratio of the medians.
  public let ratio: Double
  /// The lower quartile of the rounds' ratios.
  public let lowerQuartile: Double
  /// The upper quartile of the rounds' ratios.
  public let upperQuartile: Double

  /// `own` over `reference`, with a number for each round. Nil without rounds, for series of different lengths, and
  /// where a reference is not positive.
  public init?(_ own: [Double], over reference: [Double]) {
    guard !own.isEmpty, own.count == reference.count, reference.allSatisfy({ $0 > 0 }),
      let median = own.median, let referenceMedian = reference.median
    else { return nil }
    ratio = median / referenceMedian
    let ratios = zip(own, reference).map { $0 / $1 }.sorted()
    lowerQuartile = Self.quantile(0.25, of: ratios)
    upperQuartile = Self.quantile(0.75, of: ratios)
  }

  /// The quantile of sorted numbers, interpolated linearly between two neighbours.
  static func quantile(_ share: Double, of sorted: [Double]) -> Double {
    let place = share * Double(sorted.count - 1)
    let index = Int(place)
    let next = min(index + 1, sorted.count - 1)
    return sorted[index] + (place - Double(index)) * (sorted[next] - sorted[index])
  }
}
