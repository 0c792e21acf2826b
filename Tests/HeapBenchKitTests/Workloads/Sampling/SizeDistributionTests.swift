import Testing

@testable import HeapBenchKit

@Suite struct SizeDistributionTests {
  /// A distribution, its limits and its theoretical mean.
  static let cases: [(SizeDistribution, ClosedRange<UInt64>, Double)] = [
    (.fixed(64), 64...64, 64),
    (.uniform(10...500), 10...500, 255),
    // A log-normal's mean is median · e^(σ²/2).
    (.logNormal(median: 200, sigma: 0.5, limits: 1...1_000_000), 1...1_000_000, 226.6),
    (.logNormal(median: 1000, sigma: 2, limits: 500...2000), 500...2000, 1204.1),
    // Harmonic: sizes 16 k with weights 1/k have the mean 16 · 100 ÷ H(100).
    (.zipf(limits: 16...1600, step: 16, exponent: 1), 16...1600, 308.4),
    (
      .histogram([
        SizeDistribution.Bin(sizes: 16...16, share: 0.5), SizeDistribution.Bin(sizes: 33...64, share: 0.5),
      ]), 16...64, 32.25
    ),
  ]

  @Test(arguments: cases) func samplesHaveTheMeanAndKeepTheLimits(
    _ distribution: SizeDistribution, limits: ClosedRange<UInt64>, mean: Double
  ) {
    let sampler = SizeSampler(distribution)
    var random = ReproducibleRandom(seed: 7)
    let samples = (0..<50_000).map { _ in sampler.sample(using: &random) }
    #expect(samples.allSatisfy(limits.contains))
    let sampled = samples.reduce(0) { $0 + Double($1) } / 50_000
    #expect(abs(sampled - mean) < 0.02 * mean, "sampled \(sampled)")
    #expect(abs(sampler.mean - mean) < 0.02 * mean, "announced \(sampler.mean)")
  }

  @Test func zipfSizesAreMultiplesOfTheStepAndSmallOnesAreMostFrequent() {
    let sampler = SizeSampler(.zipf(limits: 24...88, step: 8, exponent: 1.5))
    var random = ReproducibleRandom(seed: 8)
    var counts: [UInt64: Int] = [:]
    for _ in 0..<50_000 { counts[sampler.sample(using: &random), default: 0] += 1 }
    let sizes = counts.keys.sorted()
    #expect(sizes == Array(stride(from: 24, through: 88, by: 8)))
    // There are 2^1.5 times as many of the first size as of the second.
    #expect(abs(Double(counts[24, default: 0]) / Double(counts[32, default: 1]) - 2.828) < 0.15)
  }

  @Test func theMedianOfALogNormalIsItsMedian() {
    let sampler = SizeSampler(.logNormal(median: 4096, sigma: 1.3, limits: 1...1 << 30))
    var random = ReproducibleRandom(seed: 9)
    let below = (0..<50_000).count { _ in sampler.sample(using: &random) <= 4096 }
    #expect(abs(below - 25_000) < 500)
  }
}
