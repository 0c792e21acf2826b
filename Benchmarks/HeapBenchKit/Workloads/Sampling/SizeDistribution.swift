/// The sizes of a population's objects, in bytes.
public enum SizeDistribution: Hashable, Sendable {
  /// All objects have one size.
  case fixed(UInt64)

  /// All sizes of the range are equally likely.
  case uniform(ClosedRange<UInt64>)

  /// The logarithm of the size is normal with the deviation `sigma`. A size outside `limits` becomes the nearer limit.
  case logNormal(median: Double, sigma: Double, limits: ClosedRange<UInt64>)

  /// The sizes from `limits.lowerBound` in steps of `step`; the *k*-th has a probability ∝ 1 ÷ *k*^`exponent`.
  case zipf(limits: ClosedRange<UInt64>, step: UInt64, exponent: Double)

  /// Each bin has its share; within a bin all sizes are equally likely.
  case histogram([Bin])

  /// A range of sizes and its share of all objects.
  public struct Bin: Hashable, Sendable {
    /// The sizes, in bytes.
    public let sizes: ClosedRange<UInt64>
    /// The probability of all these sizes together.
    public let share: Double

    public init(sizes: ClosedRange<UInt64>, share: Double) {
      self.sizes = sizes
      self.share = share
    }
  }
}

/// Draws sizes from a distribution, with its tables prepared.
struct SizeSampler {
  private let distribution: SizeDistribution
  private let choice: WeightedChoice

  /// The mean of the drawn sizes.
  ///
  /// It is exact, except for a log-normal distribution, which is cut off at its limits: there it is a sample's mean.
  let mean: Double

  init(_ distribution: SizeDistribution) {
    self.distribution = distribution
    switch distribution {
    case .fixed(let size):
      choice = WeightedChoice([])
      mean = Double(size)
    case .uniform(let sizes):
      choice = WeightedChoice([])
      mean = Self.middle(of: sizes)
    case .logNormal:
      choice = WeightedChoice([])
      var random = ReproducibleRandom(seed: 0)
      let count = 16_384
      var sum = 0.0
      for _ in 0..<count { sum += Double(Self.draw(distribution, choice, using: &random)) }
      mean = sum / Double(count)
    case .zipf(let limits, let step, let exponent):
      let count = (limits.upperBound - limits.lowerBound) / step + 1
      let weights = (1...count).map { ReproducibleMath.power(Double($0), -exponent) }
      choice = WeightedChoice(weights)
      let sum = weights.reduce(0, +)
      mean = weights.enumerated().reduce(0) { mean, ranked in
        mean + ranked.element / sum * Double(limits.lowerBound + UInt64(ranked.offset) * step)
      }
    case .histogram(let bins):
      let weights = bins.map(\.share)
      choice = WeightedChoice(weights)
      let sum = weights.reduce(0, +)
      mean = bins.reduce(0) { $0 + $1.share / sum * Self.middle(of: $1.sizes) }
    }
  }

  /// A size, in bytes.
  func sample(using random: inout ReproducibleRandom) -> UInt64 { Self.draw(distribution, choice, using: &random) }

  private static func draw(
    _ distribution: SizeDistribution, _ choice: WeightedChoice, using random: inout ReproducibleRandom
  ) -> UInt64 {
    switch distribution {
    case .fixed(let size): size
    case .uniform(let sizes): random.within(sizes)
    case .logNormal(let median, let sigma, let limits):
      // No sample lies beyond 8 deviations; the bound keeps the exponential's argument in its domain.
      UInt64(
        min(
          max(
            (median * ReproducibleMath.exp(sigma * max(-8, min(8, random.normal())))).rounded(),
            Double(limits.lowerBound)), Double(limits.upperBound)))
    case .zipf(let limits, let step, _): limits.lowerBound + UInt64(choice.index(using: &random)) * step
    case .histogram(let bins): random.within(bins[choice.index(using: &random)].sizes)
    }
  }

  private static func middle(of sizes: ClosedRange<UInt64>) -> Double {
    (Double(sizes.lowerBound) + Double(sizes.upperBound)) / 2
  }
}
