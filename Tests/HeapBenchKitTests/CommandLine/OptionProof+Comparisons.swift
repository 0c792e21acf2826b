import Foundation
import Testing

@testable import HeapBenchKit

extension OptionProof {
  static let comparisons = [
    OptionProof("compare", ["only", "allocator", "library", "quick", "rounds", "json", "csv", "document"]) { folder in
      let library = URL(filePath: HeapBenchProcess.path).deletingLastPathComponent().path + "/libheaplab.so"
      let copy = "\(folder)/copy.so"
      try FileManager.default.copyItem(atPath: library, toPath: copy)
      let outcome = try await HeapBenchProcess.run(
        "compare", "--only", "pairs-16", "--only", WorkloadFiles.trace("perl-hash"), "--allocator", "mine=\(copy)",
        "--library", copy, "--quick", "--rounds", "2", "--json", "\(folder)/compare.json", "--csv",
        "\(folder)/compare.csv", "--document", "\(folder)/compare.md")
      #expect(outcome.status == 0, "\(outcome.errors)")
      let report = try JSONDecoder().decode(ComparisonReport.self, from: data("\(folder)/compare.json"))
      #expect(report.allocators.last?.name == "mine" && report.allocators[1].library == copy)
      #expect(report.items.map(\.name) == ["pairs-16", WorkloadFiles.trace("perl-hash")])
      #expect(report.items.allSatisfy { $0.runs["mine"]?.figures.count == 2 })
      #expect(report.patternPercent == ComparisonPlan.Size.quick.percent)
      #expect(try text("\(folder)/compare.csv").hasPrefix("kind,workload,allocator,round,"))
      #expect(try text("\(folder)/compare.md").contains("## Speed\n\nTime of an operation under glibc"))
    },
    OptionProof("compare", ["scaling", "output"]) { folder in
      let outcome = try await HeapBenchProcess.run(
        "compare", "--only", "pairs-16", "--quick", "--rounds", "1", "--scaling", "--output", folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      for name in ScalingCurve.workloads {
        #expect(FileManager.default.fileExists(atPath: "\(folder)/scaling-\(name).svg"))
      }
    },
    OptionProof("compare", ["list"]) { _ in
      let outcome = try await HeapBenchProcess.run("compare", "--list")
      #expect(outcome.status == 0 && outcome.output.contains("glibc\t") && outcome.output.contains("pairs-64\tspeed"))
      for option in [["--json", "x"], ["--csv", "x"], ["--scaling"], ["--rounds", "2"]] {
        let refused = try await HeapBenchProcess.run(["compare", "--list"] + option)
        #expect(refused.status == 2)
        #expect(refused.errors.hasPrefix("heapbench: --list measures nothing; leave out \(option[0]);"))
      }
    },
    OptionProof("compare-heaps", ["heap", "live", "json"]) { _ in
      let outcome = try await HeapBenchProcess.run(
        "compare-heaps", "--heap", "tree", "--live", "10", "--live", "20", "--json", "-")
      #expect(outcome.status == 0, "\(outcome.errors)")
      let rows = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]]
      #expect(rows?.map { $0["liveCount"] as? Int } == [10, 20])
      #expect(rows?.allSatisfy { $0["heap"] as? String == "tree" } == true)
    },
  ]
}
