import Testing

@testable import HeapBenchKit

@Suite struct ReproducibleRandomTests {
  @Test func theFirstNumbersAreThoseOfTheReference() {
    var random = ReproducibleRandom(seed: 0)
    #expect(random.next() == 0xE220_A839_7B1D_CDAF)
    #expect(random.next() == 0x6E78_9E6A_A1B9_65F4)
    #expect(random.next() == 0x06C4_5D18_8009_454F)
  }

  @Test(arguments: [1, 2, 3, 7, 1000, UInt64.max]) func numbersBelowACountAreBelowIt(_ count: UInt64) {
    var random = ReproducibleRandom(seed: count)
    for _ in 0..<1000 { #expect(random.below(count) < count) }
  }

  @Test func everyNumberOfARangeIsAsLikely() {
    var random = ReproducibleRandom(seed: 1)
    var counts = Array(repeating: 0, count: 10)
    for _ in 0..<20_000 { counts[Int(random.within(5...14) - 5)] += 1 }
    for count in counts { #expect(abs(count - 2000) < 250) }
  }

  @Test func theNormalDistributionHasItsMoments() {
    var random = ReproducibleRandom(seed: 2)
    let samples = (0..<20_000).map { _ in random.normal() }
    let mean = samples.reduce(0, +) / 20_000
    let variance = samples.reduce(0) { $0 + $1 * $1 } / 20_000
    #expect(abs(mean) < 0.03)
    #expect(abs(variance - 1) < 0.04)
    #expect(abs(Double(samples.count { abs($0) < 1 }) / 20_000 - 0.6827) < 0.015)
  }

  @Test func theExponentialDistributionHasItsMeanAndItsTail() {
    var random = ReproducibleRandom(seed: 3)
    let samples = (0..<20_000).map { _ in random.exponential() }
    #expect(samples.allSatisfy { $0 >= 0 })
    #expect(abs(samples.reduce(0, +) / 20_000 - 1) < 0.03)
    #expect(abs(Double(samples.count { $0 > 1 }) / 20_000 - 0.3679) < 0.015)
  }

  @Test func aChanceHappensAsOftenAsItSays() {
    var random = ReproducibleRandom(seed: 4)
    #expect((0..<1000).count { _ in random.chance(0) } == 0)
    #expect((0..<1000).count { _ in random.chance(1) } == 1000)
    #expect(abs((0..<20_000).count { _ in random.chance(0.3) } - 6000) < 300)
  }

  @Test func aChoiceFollowsItsWeights() {
    let choice = WeightedChoice([0, 1, 0, 3, 0])
    var random = ReproducibleRandom(seed: 5)
    var counts = Array(repeating: 0, count: 5)
    for _ in 0..<40_000 { counts[choice.index(using: &random)] += 1 }
    #expect(counts[0] == 0 && counts[2] == 0 && counts[4] == 0)
    #expect(abs(counts[1] - 10_000) < 500)
  }
}
