import Testing

@testable import HeapBenchKit

@Suite struct LogarithmicAxisTests {
  @Test func anAxisEndsWhereTheDataEnd() {
    let axis = LogarithmicAxis(over: [30, 3, 12], marks: .decimal)
    #expect(axis.place(of: 3) == 0 && axis.place(of: 30) == 1)
    #expect(axis.marks == [5, 10, 20])
    #expect(LogarithmicAxis(over: [7], marks: .decimal).place(of: 7) == 0, "a single number has an axis too")
  }

  @Test func threadsHavePowersOfTwo() {
    #expect(LogarithmicAxis(over: [1, 2, 4, 64], marks: .powersOfTwo).marks == [1, 2, 4, 8, 16, 32, 64])
    #expect(LogarithmicAxis(over: [1, 6], marks: .powersOfTwo).marks == [1, 2, 4])
  }

  @Test func wideAxesHavePowersOfTenAlone() {
    #expect(
      LogarithmicAxis(over: [10, 1_000_000], marks: .decimal).marks == [10, 100, 1000, 10_000, 100_000, 1_000_000])
  }

  @Test func labelsKeepTheirDistance() {
    #expect(LogarithmicAxis.spread([10, 50, 90], apart: 17, upTo: 100) == [10, 50, 90])
    #expect(LogarithmicAxis.spread([50, 52, 51], apart: 17, upTo: 100) == [50, 84, 67])
    #expect(LogarithmicAxis.spread([95, 96, 97], apart: 17, upTo: 100) == [66, 83, 100])
  }

  @Test func durationsHaveUnits() {
    #expect(
      [0.5, 20, 1000, 2_000_000, 5e9].map(LogarithmicChart.durationText) == ["0.5 ns", "20 ns", "1 µs", "2 ms", "5 s"])
  }
}
