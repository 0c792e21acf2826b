import Foundation
import FoundationXML
import Testing

@testable import HeapBenchKit

@Suite struct ComparisonTableTests {
  private let style = TerminalStyle(columnCount: 100, hasColour: false)

  private static func sample() -> ComparisonReport {
    var broken = SampleComparison.speed("pairs-16", ["glibc": [10, 10, 10], "heaplab": [4, 5, 6]])
    broken.runs["tcmalloc"] = AllocatorRuns(failure: "ended by signal 11 (Segmentation fault)")
    return SampleComparison.report([
      broken, SampleComparison.speed("pairs-64", ["glibc": [10], "heaplab": [5], "tcmalloc": [4]]),
      SampleComparison.footprint("sawtooth", ["glibc": (110, 300), "heaplab": (120, 105), "tcmalloc": (150, 210)]),
    ])
  }

  @Test func speedIsGlibcsTimeAndTheOthersOverIt() throws {
    let text = try #require(Self.sample().speedTable).text(style: style)
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.contains("                        glibc heaplab tcmalloc   spread"), "\(text)")
    #expect(lines.contains("pairs-16              10.0 ns   0.50×*  failed   0.45×–0.55×"), "\(text)")
    #expect(lines.contains("pairs-64              10.0 ns   0.50×    0.40×*"), "\(text)")
    // A mean over only some of the rows would flatter an allocator that failed.
    #expect(lines.contains("mean ÷ glibc            1.00×   0.50×*       –"), "\(text)")
  }

  @Test func failuresAreNeverDropped() {
    let report = Self.sample()
    #expect(report.failures == ["pairs-16 under tcmalloc: ended by signal 11 (Segmentation fault)"])
    #expect(report.text(style: style).contains("failed: pairs-16 under tcmalloc: ended by signal 11"))
  }

  @Test func footprintsAreResidentOverLive() throws {
    let peak = try #require(Self.sample().footprintTable(peak: true)).text(style: style)
    #expect(peak.contains("sawtooth   1.10*   1.20     1.50"), "\(peak)")
    let end = try #require(Self.sample().footprintTable(peak: false)).text(style: style)
    #expect(end.contains("sawtooth   3.00    1.05*    2.10"), "\(end)")
  }

  @Test func onSeveralThreadsTimeIsAsItPasses() {
    #expect(SampleComparison.run(7).nanosecondsPerOperation == 7)
    #expect(SampleComparison.run(7, threads: 2).nanosecondsPerOperation == 14)
  }

  @Test func idleThreadsAndStallsHaveTablesOfTheirOwn() {
    let kib = 10 * 1024
    let text = SampleComparison.report(
      [
        SampleComparison.idle(["glibc": (50 * kib, 40 * kib), "heaplab": (60 * kib, 30 * kib)]),
        SampleComparison.stall("frees-64MiB", ["glibc": 250_000, "heaplab": 12_300_000]),
      ], isWhole: false
    ).text(style: style)
    #expect(text.contains(/idle-threads +50.0\* +60.0 +–/), "\(text)")
    #expect(text.contains(/after malloc_trim +40.0 +30.0\* +–/), "\(text)")
    #expect(text.contains(/frees-64MiB +0.250\* +12.3 +–/), "\(text)")
    #expect(!text.contains("Footprint:"), "\(text)")
  }

  @Test func singleCallsHaveATableOfTheirOwn() {
    let report = SampleComparison.report([SampleComparison.latency(["glibc": 7, "heaplab": 6])], isWhole: false)
    let text = report.text(style: style)
    #expect(text.contains(/malloc p50 +7.00 +6.00\* +–/), "\(text)")
    #expect(text.contains(/malloc p99.99 +28.0 +24.0\* +–/), "\(text)")
    #expect(text.contains(/free max +350 +300\* +–/), "\(text)")
    let lines = report.csv.split(separator: "\r\n")
    #expect(lines.first?.contains("malloc_p50_picoseconds,malloc_p99_picoseconds") == true)
    #expect(lines.contains { $0.contains(",7000,14000,21000,28000,35000,70000,140000,210000,280000,350000,") })
  }

  @Test func pipelinesShowTheirPageFaults() {
    let item = SampleComparison.speed("pipeline-64-8", ["glibc": [10, 10], "heaplab": [5, 5]])
    let text = SampleComparison.report([item], isWhole: false).text(style: style)
    // Three faults in a hundred operations.
    #expect(text.contains("Page faults:") && text.contains(/pipeline-64-8 +30000\* +30000\* +–/), "\(text)")
  }

  @Test func anAllocatorWithoutSizedFreesIsNamed() {
    var item = SampleComparison.speed("larson-sized-1", ["heaplab": [5]])
    item.runs["glibc"] = AllocatorRuns(figures: [SampleComparison.run(7, unsized: 1)])
    var other = item
    #expect(
      SampleComparison.report([item, other]).sizedFreeNotes == [
        "glibc has no free that takes a size: larson-sized-1 and 1 more row called free"
      ])
    other.runs["glibc"] = AllocatorRuns(figures: [SampleComparison.run(7)])
    #expect(SampleComparison.report([other]).sizedFreeNotes.isEmpty)
  }

  @Test func coloursAreOnlyForTerminals() {
    let coloured = Self.sample().text(style: TerminalStyle(columnCount: 100, hasColour: true))
    #expect(coloured.contains("\u{1B}["))
    #expect(coloured.replacing(/\u{1B}\[[0-9;]*m/, with: "") == Self.sample().text(style: style))
  }

  @Test func csvHasALineForEachRunAndFailure() {
    let lines = Self.sample().csv.split(separator: "\r\n")
    #expect(lines.count == 1 + 6 + 1 + 3 + 3)
    for line in lines {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      #expect(fields.count == ComparisonReport.csvColumns.count, "\(line)")
    }
    #expect(lines.contains("speed,pairs-64,heaplab,1,1,100,1000,500,3" + String(repeating: ",", count: 19)))
  }

  @Test func curvesRiseWithTheLogarithm() {
    #expect(ScalingCurve.blocks([1, 2, 4, 8, nil, 256], least: 1, most: 256) == "▁▂▃▄ █")
    #expect(ScalingCurve.blocks([5, 5], least: 5, most: 5) == "▁▁")
  }

  @Test func theCurvesPictureHasAllAllocators() {
    var curve = ScalingCurve(name: "own-batches", allocators: ["glibc", "heaplab", "tcmalloc"])
    for (count, time) in [(1, 10), (2, 6), (64, 7)] {
      curve.threadCounts.append(count)
      curve.items.append(
        SampleComparison.speed("own-batches", ["glibc": [time * 3], "heaplab": [time], "tcmalloc": [time * 2]]))
    }
    #expect(curve.text(style: style).contains("heaplab"))
    for wanted in ["glibc", "heaplab", "tcmalloc", "own-batches on 1 to 64 threads"] {
      #expect(curve.svg.contains(wanted))
    }
  }

  @Test func theChartHasBarsAndLosses() throws {
    let report = SampleComparison.report([
      SampleComparison.speed("pairs-16", ["glibc": [100], "heaplab": [50], "tcmalloc": [900]]),
      SampleComparison.speed("sqlite-oltp", ["glibc": [100], "heaplab": [107], "tcmalloc": [90]]),
      SampleComparison.footprint("sawtooth", ["glibc": (130, 110), "heaplab": (120, 100), "tcmalloc": (200, 150)]),
    ])
    let chart = try #require(report.chart)
    #expect(XMLParser(data: Data(chart.utf8)).parse())
    #expect(chart.contains("Speed: time over glibc's, 2 workloads"))
    #expect(chart.contains("heaplab is slower than glibc in sqlite-oltp (1.07×)"))
    #expect(chart.contains(">→ 2.85×</text>"), "a long bar is cut, and says so")
    let page = report.markdown(chart: "comparison.svg")
    for heading in ["## Speed", "## Footprint", "## Goals"] { #expect(page.contains("\n\(heading)\n")) }
    #expect(page.contains("(comparison.svg)"))
    #expect(SampleComparison.report(report.items, isWhole: false).chart == nil)
  }
}
