import Testing

@testable import HeapBenchKit

@Suite struct FigureTests {
  @Test func byteCountsHaveThreeDigitsAndAUnit() {
    #expect("\(ByteCount(0))" == "0 B")
    #expect("\(ByteCount(999))" == "999 B")
    #expect("\(ByteCount(1000))" == "0.977 KiB")
    #expect("\(ByteCount(1024))" == "1.00 KiB")
    #expect("\(ByteCount(16 << 10))" == "16.0 KiB")
    #expect("\(ByteCount(437 << 20))" == "437 MiB")
    #expect("\(ByteCount(3 << 40))" == "3.00 TiB")
  }

  @Test func durationsFitFiveCharacters() {
    #expect(Figure.duration(nanoseconds: 0) == "0ns")
    #expect(Figure.duration(nanoseconds: 999) == "999ns")
    #expect(Figure.duration(nanoseconds: 1000) == "1.0µs")
    #expect(Figure.duration(nanoseconds: 99_400) == "99µs")
    #expect(Figure.duration(nanoseconds: 412_000) == "412µs")
    #expect(Figure.duration(nanoseconds: 13_000_000) == "13ms")
    #expect(Figure.duration(nanoseconds: 2_500_000_000) == "2.5s")
  }

  @Test func ratiosAndShares() {
    #expect(Figure.ratio(1) == "1.00×")
    #expect(Figure.ratio(0.5) == "0.50×")
    #expect(Figure.ratio(9.996) == "10.0×")
    #expect(Figure.ratio(51.2) == "51.2×")
    #expect(Figure.ratio(123.4) == "123×")
    #expect(Figure.percent(0) == "0%")
    #expect(Figure.percent(0.0001) == "<0.1%")
    #expect(Figure.percent(0.012) == "1.2%")
    #expect(Figure.percent(0.44) == "44%")
    #expect(Figure.percent(1) == "100%")
    #expect(Figure.count(1_234_567) == "1,234,567")
    #expect(Figure.count(999) == "999")
  }

  @Test func textIsWrappedAndCut() {
    #expect("one two three".wrapped(to: 7) == "one two\nthree")
    #expect("one two".wrapped(to: 6, indent: "  ") == "  one\n  two")
    #expect("abcdef".shortened(to: 4) == "abc…")
    #expect([3.0, 1, 2].median == 2)
    #expect([4.0, 1, 2, 3].median == 2.5)
    #expect([2.0, 8].geometricMean.map { ($0 * 1e9).rounded() } == 4e9)
  }
}
