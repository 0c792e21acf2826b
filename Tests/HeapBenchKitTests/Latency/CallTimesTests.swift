import Testing

@testable import HeapBenchKit

/// Quantiles and tails of known times, and what the driver writes.
@Suite("Times of single calls")
struct CallTimesTests {
  /// 1 to 1000 nanoseconds, one call each.
  private static let thousand = CallTimes((1...1000).map { (Double($0), 1) })

  @Test("A quantile is the least time that so many calls do not exceed")
  func quantiles() {
    #expect(Self.thousand.quantile(0.5) == 500)
    #expect(Self.thousand.quantile(0.99) == 990)
    #expect(Self.thousand.quantile(0.999) == 999)
    #expect(Self.thousand.quantile(0.9999) == 1000)
    #expect(Self.thousand.quantile(1) == 1000)
    #expect(CallTimes().quantile(0.5) == nil)
  }

  @Test("Rounds together have the calls of all, whatever their order")
  func merging() {
    let all = CallTimes(merging: [CallTimes([(7, 1), (3, 8)]), CallTimes([(5, 1)])])
    #expect(all.quantile(0.8) == 3)
    #expect(all.quantile(0.9) == 5)
    #expect(all.quantile(1) == 7)
  }

  @Test("A tail begins at the median, has eight points a decade, never falls, and ends with the slowest call")
  func tail() {
    let tail = Self.thousand.tail
    #expect(tail.first?.rarity == 2 && tail.first?.nanoseconds == 500)
    #expect(tail.last?.rarity == 1000 && tail.last?.nanoseconds == 1000)
    #expect(tail.filter { $0.rarity >= 10 && $0.rarity < 100 }.count == 8)
    #expect(zip(tail, tail.dropFirst()).allSatisfy { $0.nanoseconds <= $1.nanoseconds && $0.rarity <= $1.rarity })
    #expect(CallTimes().tail.isEmpty)
  }

  @Test("A run of the driver: ticks become nanoseconds, without those of a reading")
  func parsing() throws {
    let run = try TailRun(
      parsing: """
        {"name": "tail", "operations": 3, "threads": 1, "nanoseconds": 500, "ticks": 1000, "overheadTicks": 20, \
        "minorFaultCount": 1, "majorFaultCount": 0, "voluntarySwitchCount": 0, "involuntarySwitchCount": 2}
        malloc 120 2
        malloc 10 1
        free 220 3

        """)
    #expect(run.mallocs.quantile(1) == 50 && run.mallocs.quantile(0.1) == 0)
    #expect(run.frees.quantile(0.5) == 100)
    #expect(run.counts.involuntarySwitchCount == 2)
  }

  @Test("What no driver writes is refused", arguments: ["", "{}", "malloc 1 2"])
  func refusal(text: String) {
    #expect(throws: MeasurementFailure.self) { try TailRun(parsing: text) }
  }

  @Test("A plot has a letter for each allocator, a star where they meet, and its axes")
  func plot() {
    let series = [("one", 1.0), ("two", 100.0)].map { name, factor in
      TailPlot.Series(name: name, tail: Self.thousand.tail.map { ($0.rarity, $0.nanoseconds * factor) })
    }
    let lines = TailPlot(series: series, columnCount: 80).text.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 80 })
    #expect(lines.contains { $0.contains("b") } && lines.contains { $0.contains("10²") })
    #expect(lines.last == "  one call in so many takes longer · a one, b two, * several")
    #expect(TailPlot(series: [series[0], series[0]], columnCount: 80).text.contains("*"))
    #expect(TailPlot(series: [], columnCount: 80).text.isEmpty)
  }
}
