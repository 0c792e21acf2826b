import Testing

@testable import HeapBenchKit

@Suite struct CSVTests {
  @Test(arguments: [
    ("plain text", "plain text"), ("a,b", "\"a,b\""), ("say \"no\"", "\"say \"\"no\"\"\""),
    ("two\nlines", "\"two\nlines\""),
    ("two\r\nlines", "\"two\r\nlines\""), ("", ""),
  ]) func aFieldIsQuotedWhereItMustBe(_ text: String, field: String) {
    #expect(text.quotedForCSV == field)
  }

  @Test func noTwoColumnsHaveOneKey() {
    let benchmark = BenchmarkReport.csvColumns.map(\.key)
    #expect(Set(benchmark).count == benchmark.count)
    #expect(Set(ComparisonReport.csvColumns).count == ComparisonReport.csvColumns.count)
  }
}
