import Testing

@testable import HeapBenchKit

@Suite struct QuietRoundsTests {
  /// The median that the rounds come to, and the rounds that were left.
  private func settle(_ values: [Double?], agreeing: Int, atMost most: Int) throws -> (Double, left: Int) {
    var rounds = QuietRounds(agreeing: agreeing, atMost: most)
    for (index, value) in values.enumerated() {
      if let median = try rounds.median(after: value) { return (median, values.count - index - 1) }
    }
    throw GateObstacle("the rounds never settled")
  }

  @Test func roundsThatAgreeAreEnough() throws {
    let (median, left) = try settle([1.0, 1.1, 1.0, 1.02, 1.01, 9], agreeing: 5, atMost: 6)
    #expect(median == 1.01 && left == 1)
  }

  @Test func aDisturbanceIsWaitedFor() throws {
    let disturbed: [Double?] = [2.3, 0.9, 2.1, 1.4, nil]
    let (median, left) = try settle(disturbed + [1.0, 1.0, 1.0, 1.0, 1.01], agreeing: 5, atMost: 10)
    #expect(median == 1.0)
    #expect(left >= 0 && left <= 1)
  }

  @Test func oneOutlierInNineIsNoDisturbance() throws {
    let (median, left) = try settle([1, 1, 1, 4, 1, 1, 1, 1, 1], agreeing: 9, atMost: 9)
    #expect(median == 1 && left == 0)
  }

  @Test func roundsThatNeverAgreeAreNoise() throws {
    let values: [Double?] = [nil, 2, 3, nil, 5, 1, nil, 3, 4, nil, 1, 2]
    let error = try #require(throws: GateObstacle.self) { try settle(values, agreeing: 5, atMost: 12) }
    #expect(error.isNoise)
    #expect(
      error.description == "other work on this machine keeps the times apart (12 rounds, 8 of which counted): "
        + "run 'heapbench gate --only ratio' when it is idle")
  }
}
