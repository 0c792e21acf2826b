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
    OptionProof(
      "latency",
      ["size", "threads", "allocator", "library", "operations", "rounds", "neighbour", "output", "json", "csv"]
    ) { folder in
      let outcome = try await HeapBenchProcess.run(
        "latency", "--size", "64-1K", "--threads", "1", "--threads", "2", "--allocator", "glibc", "--allocator",
        "again=\(library())", "--library", library(), "--operations", "20000", "--rounds", "2", "--neighbour", "16M",
        "--output", folder, "--json", "\(folder)/latency.json", "--csv", "\(folder)/latency.csv")
      #expect(outcome.status == 0, "\(outcome.errors)")
      let rows = try #require(try object("\(folder)/latency.json")["rows"] as? [[String: Any]])
      #expect(rows.map { $0["threads"] as? Int } == [1, 1, 2, 2])
      #expect(rows.map { $0["allocator"] as? String } == ["glibc", "again", "glibc", "again"])
      for row in rows {
        let times = try #require(row["malloc"] as? [String: Double])
        let quantiles = CallTimes.quantiles.compactMap { times[$0.name] }
        #expect(quantiles.count == 6 && quantiles == quantiles.sorted() && quantiles[5] > 0)
        #expect((row["rounds"] as? [String: [Double]])?["p99"]?.count == 2)
      }
      #expect(try text("\(folder)/latency.csv").split(separator: "\n").count == 1 + 4 * 2)
      #expect(FileManager.default.fileExists(atPath: "\(folder)/latency-64-1024-2.svg"))
      #expect(outcome.output.contains("beside a process that maps, writes and returns"), "\(outcome.output)")
      for (words, remedy) in [
        (["--size", "64"], "the least first, as 16-64K, found '64'"), (["--size", "64-8"], "found '64-8'"),
        (["--size", "4-64"], "found '4-64'"),
        (["--threads", "0"], "--threads must be 1…1024, found 0; see 'heapbench latency --help'"),
        (["--operations", "9"], "must be 1000…1000000000, found 9; see 'heapbench latency --help'"),
        (["--neighbour", "much"], "as 1G or 512M, found 'much'"),
        (["--allocator", "glibbc"], "did you mean 'glibc'?"),
      ] {
        let refused = try await HeapBenchProcess.run(["latency"] + words)
        #expect(refused.status == 2 && refused.errors.hasSuffix("\(remedy)\n"), "\(refused.errors)")
      }
    },
    OptionProof("topology", ["json"]) { folder in
      let outcome = try await HeapBenchProcess.run("topology", "--json", "\(folder)/topology.json")
      #expect(outcome.status == 0 && outcome.output.contains("node 0"), "\(outcome)")
      let machine = try #require(try object("\(folder)/topology.json")["machine"] as? [String: Any])
      #expect(machine["processorCount"] as? Int == ProcessInfo.processInfo.processorCount)
      #expect((machine["nodes"] as? [Any])?.isEmpty == false)
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
