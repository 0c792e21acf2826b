import Foundation
import FoundationXML
import Testing

@testable import HeapBenchKit

@Suite struct ResultTableTests {
  @Test(arguments: [40, 60, 80, 100, 133, 200])
  func everyLineFitsTheTerminal(columns: Int) throws {
    let report = try SampleReport.make()
    let text = ResultTable(report, style: TerminalStyle(columnCount: columns, hasColour: false)).text
    for line in text.split(separator: "\n") {
      #expect(line.count <= columns, "\(line)")
    }
    for wanted in ["handmade", "firstfit", "system", "1.00×", "p99.99", "all 2 workloads"] {
      #expect(text.contains(wanted), "\(wanted) in\n\(text)")
    }
  }

  @Test func coloursAreOnlyForTerminals() throws {
    let report = try SampleReport.make()
    let plain = ResultTable(report, style: TerminalStyle(columnCount: 100, hasColour: false)).text
    let coloured = ResultTable(report, style: TerminalStyle(columnCount: 100, hasColour: true)).text
    #expect(!plain.contains("\u{1B}"))
    #expect(coloured.contains("\u{1B}["))
    #expect(coloured.replacing(/\u{1B}\[[0-9;]*m/, with: "") == plain)
  }

  @Test func aFailureIsALineUnderItsPolicy() throws {
    var report = try SampleReport.make()
    report.workloads[0].results[0].add(.failure(MeasurementFailure("policy 'firstfit' ended on 'handmade': boom")))
    let text = ResultTable(report, style: TerminalStyle(columnCount: 100, hasColour: false)).text
    #expect(text.contains("    policy 'firstfit' ended on 'handmade': boom"))
  }

  @Test func csvHasAFieldForEveryKey() throws {
    let lines = try SampleReport.make().csv.split(separator: "\r\n")
    #expect(lines.count == 5)
    for line in lines {
      #expect(line.split(separator: ",", omittingEmptySubsequences: false).count == BenchmarkReport.csvColumns.count)
    }
    #expect(lines[0].hasPrefix("workload,policy,threads,"))
    #expect(lines[1].hasPrefix("handmade,firstfit,1,5,256,"))
  }

  @Test func jsonComesBackAsTheSameReport() throws {
    let report = try SampleReport.make()
    let data = try report.json()
    #expect(try report.json() == data)
    #expect(try JSONDecoder().decode(BenchmarkReport.self, from: data) == report)
  }

  @Test func picturesAreWellFormed() throws {
    var report = try SampleReport.make()
    #expect(HeapPictureSheet(report.workloads[0]) == nil, "no moment is chosen")
    let index = try #require(report.workloads[0].results[0].layout?.worstSampleIndex)
    report.workloads[0].results[0].keepPicture(ofSample: index)
    let sheet = try #require(HeapPictureSheet(report.workloads[0]))
    #expect(XMLParser(data: Data(sheet.svg.utf8)).parse())
    #expect(sheet.svg.contains(">firstfit</text>") && sheet.svg.contains("handmade, after step "))
  }
}

/// A small report with real figures: one workload twice, under two policies.
enum SampleReport {
  static func make() throws -> BenchmarkReport {
    var report = BenchmarkReport(settings: .init(seed: 1, scale: 1, roundCount: 1))
    let plan = try ReplayPlan(HandmadeWorkload.threeBlocks)
    for _ in 0..<2 {
      var workload = WorkloadReport(plan, isAdversary: false)
      for name in ["firstfit", "system"] {
        let policy = try #require(PolicyCatalog.policy(named: name))
        var result = PolicyResult(policy: name)
        let passes: [ReplayPass] = policy.receivesMemory ? [.layout, .throughput, .latency] : [.throughput, .latency]
        result.add(
          .success(try MeasurementRequest.measure(plan, with: policy, passes: passes, heapByteCount: 1 << 20)))
        workload.results.append(result)
      }
      report.workloads.append(workload)
    }
    return report
  }
}
