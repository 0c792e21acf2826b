import Testing

@testable import HeapBenchKit

@Suite struct RatioSpreadTests {
  @Test func theRatioIsThatOfTheMedians() throws {
    // Something disturbed the third round; it changes neither median.
    let spread = try #require(RatioSpread([10, 12, 900, 11, 9], over: [20, 22, 24, 21, 18]))
    #expect(spread.ratio == 11.0 / 21)
    #expect(spread.lowerQuartile == 0.5)
    #expect(abs(spread.upperQuartile - 12.0 / 22) < 1e-12)
  }

  @Test func aSingleRoundHasNoSpread() throws {
    let spread = try #require(RatioSpread([3], over: [4]))
    #expect([spread.ratio, spread.lowerQuartile, spread.upperQuartile] == [0.75, 0.75, 0.75])
  }

  @Test func thereIsNoRatioWithoutRoundsOrOverNothing() {
    #expect(RatioSpread([], over: []) == nil)
    #expect(RatioSpread([1, 2], over: [1]) == nil)
    #expect(RatioSpread([1, 2], over: [1, 0]) == nil)
  }

  @Test func quantilesLieBetweenNeighbours() {
    #expect(RatioSpread.quantile(0.25, of: [1, 2, 3, 4, 5]) == 2)
    #expect(RatioSpread.quantile(0.5, of: [1, 2]) == 1.5)
    #expect(RatioSpread.quantile(1, of: [1, 2, 7]) == 7)
  }

  @Test func roundsStartWithAnotherAllocatorEachTime() {
    #expect([1, 2, 3].rotated(by: 0) == [1, 2, 3])
    #expect([1, 2, 3].rotated(by: 1) == [2, 3, 1])
    #expect([1, 2, 3].rotated(by: 5) == [3, 1, 2])
    #expect([Int]().rotated(by: 2).isEmpty)
  }
}
