import Addresses
import FirstFitHeap
import LabTestSupport
import Testing

@testable import HeapBenchKit

@Suite struct HoleCurveTests {
  @Test func aFieldHasItsHolesAndKeepsThem() throws {
    let memory = TestMemory(byteCount: HoleField<HeaderlessHeap>.byteCount(holeCount: 100))
    let field = HoleField<HeaderlessHeap>(over: memory.range, holeCount: 100, seed: 7)
    let before = field.holeCount
    // The holes, and the rest of the range behind the last block.
    #expect(before == 101)
    _ = field.nanoseconds(pairCount: 130)
    #expect(field.holeCount == before)
  }

  @Test func requestsGoToEveryLongHole() throws {
    let memory = TestMemory(byteCount: HoleField<FirstFitHeap>.byteCount(holeCount: 500))
    let field = HoleField<FirstFitHeap>(over: memory.range, holeCount: 500, seed: 3)
    #expect(Set(field.requests).count == HoleField<FirstFitHeap>.longHoleCountMax)
    #expect(field.requests != field.requests.sorted())
  }

  @Test func theCurveHasBothPolicies() throws {
    let curve = try HoleCurve.measure(seed: 1, holeCounts: [10, 1000], progress: NoProgress())
    #expect(curve.isComplete)
    #expect(curve.points.map(\.holeCount) == [10, 1000])
    for point in curve.points { #expect(Set(point.nanoseconds.keys) == ["firstfit", "plain-list"]) }
    let report = HoleCurveReport(curve)
    #expect(report.csv.split(separator: "\r\n").count == 3)
    #expect(report.text(style: TerminalStyle(columnCount: 80, hasColour: false)).contains("1,000"))
    #expect(report.svg.contains("</svg>"))
  }
}
