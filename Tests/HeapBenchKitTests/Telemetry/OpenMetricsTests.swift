import Foundation
import Testing

@testable import HeapBenchKit

@Suite struct OpenMetricsTests {
  private static func reading(_ change: (inout HeapReading) -> Void = { _ in }) throws -> ProcessReading {
    var heap = HeapReading(process: getpid())
    change(&heap)
    return ProcessReading(host: try #require(HostProcess(getpid())), heap: heap)
  }

  private static func lines(_ reading: ProcessReading, _ format: OpenMetricsText.Format = .openMetrics) -> [Substring] {
    OpenMetricsText([reading], refusedCount: 2, seconds: 0.5, hasClasses: true, format: format).text
      .split(separator: "\n", omittingEmptySubsequences: false)
  }

  @Test func aFigureHasItsFamilyItsUnitAndItsLabels() throws {
    let lines = Self.lines(try Self.reading { $0.liveByteCount = 77 })
    let live = lines.filter { $0.contains("heaplab_live_bytes") }
    #expect(live[0].hasPrefix("# HELP heaplab_live_bytes ") && live[1] == "# TYPE heaplab_live_bytes gauge")
    #expect(live[2] == "# UNIT heaplab_live_bytes bytes")
    #expect(live[3].hasPrefix("heaplab_live_bytes{pid=\"\(getpid())\",start=\"") && live[3].hasSuffix("\"} 77"))
    #expect(lines.suffix(2) == ["# EOF", ""])
    #expect(lines.contains("heaplab_refused_processes 2") && lines.contains("heaplab_reading_seconds 0.5"))
  }

  @Test func aCounterEndsWithTotalAndItsFamilyDoesNot() throws {
    let reading = try Self.reading { $0.purgedByteCount = 5 }
    #expect(Self.lines(reading).contains("# TYPE heaplab_purged_bytes counter"))
    #expect(Self.lines(reading).contains { $0.hasPrefix("heaplab_purged_bytes_total{") && $0.hasSuffix("} 5") })
    #expect(Self.lines(reading, .prometheus).contains("# TYPE heaplab_purged_bytes_total counter"))
    #expect(!Self.lines(reading, .prometheus).contains { $0.hasPrefix("# UNIT") || $0 == "# EOF" })
  }

  @Test func aPageHasNoSeriesOfWhatItDoesNotShow() throws {
    let lines = Self.lines(try Self.reading { $0.source = .page })
    #expect(lines.contains { $0.hasPrefix("heaplab_live_bytes{") })
    #expect(!lines.contains { $0.hasPrefix("heaplab_retained_bytes{") || $0.hasPrefix("heaplab_quota_bytes{") })
  }

  @Test func labelsAreEscaped() {
    #expect(OpenMetricsText.escaped("a\"b\\c\r\nd") == "a\\\"b\\\\c\r\\nd")
  }

  @Test func aProcessHasAtMost40Series() {
    #expect((20...40).contains(HeapFigure.all.count))
    #expect(Set(HeapFigure.all.map(\.name)).count == HeapFigure.all.count)
  }

  @Test func theDocumentHasARowForEachFigure() throws {
    let path = WorkloadFiles.benchmarks.appending(path: "../docs/telemetry.md")
    let text = try String(contentsOf: path, encoding: .utf8)
    let cells = text.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { $0.split(separator: "|")[0] }.joined()
    for figure in HeapFigure.all { #expect(cells.contains("`\(figure.name)`"), "\(figure.name)") }
  }
}
