import Testing

@testable import HeapBenchKit

@Suite struct LifetimeDistributionTests {
  static let randomOnes: [LifetimeDistribution] = [
    .exponential, .bimodal(shortShare: 0.9, shortMean: 20),
    .generational(generations: 3, survival: 0.2, factor: 10),
  ]

  /// 20,000 lifetimes of objects born at 5, with a mean of 1000.
  static func lifetimes(_ distribution: LifetimeDistribution) -> [UInt64] {
    let sampler = LifetimeSampler(distribution)
    var random = ReproducibleRandom(seed: 11)
    return (0..<20_000).map { _ in sampler.deathKey(bornAt: 5, mean: 1000, using: &random) - 5 }
  }

  @Test(arguments: randomOnes) func lifetimesHaveTheMeanThatIsAskedFor(_ distribution: LifetimeDistribution) {
    let sampled = Self.lifetimes(distribution).reduce(0) { $0 + Double($1) } / 20_000
    #expect(abs(sampled - 1000) < 60, "sampled \(sampled)")
  }

  @Test func theShortShareOfABimodalDistributionDiesYoung() {
    let young = Self.lifetimes(.bimodal(shortShare: 0.9, shortMean: 20)).count { $0 < 200 }
    #expect(abs(young - 18_000) < 500)
  }

  @Test func generationsDieYoungerThanOneExponentialOfTheSameMean() {
    let generational = Self.lifetimes(.generational(generations: 3, survival: 0.2, factor: 10)).sorted()
    let exponential = Self.lifetimes(.exponential).sorted()
    #expect(generational[10_000] < exponential[10_000] / 2)
    #expect(generational[19_900] > exponential[19_900])
  }

  @Test func aStackAndAQueueAreOrders() {
    var random = ReproducibleRandom(seed: 0)
    let stack = LifetimeSampler(.lifo)
    let queue = LifetimeSampler(.fifo)
    #expect(
      stack.deathKey(bornAt: 8, mean: 1, using: &random) < stack.deathKey(bornAt: 7, mean: 1, using: &random))
    #expect(
      queue.deathKey(bornAt: 7, mean: 1, using: &random) < queue.deathKey(bornAt: 8, mean: 1, using: &random))
  }
}
