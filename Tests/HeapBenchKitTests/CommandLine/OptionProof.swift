import Foundation
import Testing

@testable import HeapBenchKit

/// A run of heapbench that shows what some options of a command do.
struct OptionProof: Sendable, CustomTestStringConvertible {
  let command: String
  let options: [String]
  /// Runs heapbench, with a folder for its files, and checks the outcome.
  let run: @Sendable (_ folder: String) async throws -> Void

  var testDescription: String { "\(command) \(options.map { "--\($0)" }.joined(separator: " "))" }

  init(_ command: String, _ options: [String], _ run: @escaping @Sendable (String) async throws -> Void) {
    self.command = command
    self.options = options
    self.run = run
  }

  static let all = benchmarks + questions + measurements + comparisons + gate + recording + telemetry

  private static let benchmarks = [
    OptionProof("all", ["output", "json", "csv", "seed", "scale", "rounds"]) { folder in
      let outcome = try await HeapBenchProcess.run(
        "all", "--output", "\(folder)/pictures", "--json", "-", "--csv", "\(folder)/all.csv", "--seed", "7", "--scale",
        "0.0001", "--rounds", "1")
      #expect(outcome.status == 0, "\(outcome.errors)")
      let report = try JSONDecoder().decode(BenchmarkReport.self, from: Data(outcome.output.utf8))
      #expect(report.settings.seed == 7 && report.settings.scale == 0.0001 && report.settings.roundCount == 1)
      let catalog = try WorkloadCatalog(folder: WorkloadFiles.benchmarks.path)
      #expect(report.workloads.map(\.name) == catalog.sources.map(\.name))
      let first = try #require(catalog.sources.first).name
      #expect(FileManager.default.fileExists(atPath: "\(folder)/pictures/\(first).svg"))
      #expect(try text("\(folder)/all.csv").split(separator: "\r\n").count == 1 + catalog.sources.count * 4)
    },
    OptionProof(
      "run", ["profile", "trace", "policy", "threads", "output", "json", "csv", "seed", "scale", "rounds"]
    ) { folder in
      let outcome = try await HeapBenchProcess.run(
        "run", "--profile", "sawtooth", "--trace", "perl-hash", "--policy", "firstfit", "--policy", "plain-list",
        "--threads", "3", "--output", folder, "--json", "\(folder)/run.json", "--csv", "-", "--seed", "9", "--scale",
        "0.001", "--rounds", "2")
      #expect(outcome.status == 0, "\(outcome.errors)")
      let report = try JSONDecoder().decode(BenchmarkReport.self, from: data("\(folder)/run.json"))
      #expect(report.settings.seed == 9 && report.settings.scale == 0.001 && report.settings.roundCount == 2)
      #expect(report.workloads.map(\.name) == ["sawtooth", "perl-hash"])
      #expect(report.workloads[0].facts.threadCount == 3)
      #expect(report.workloads.allSatisfy { $0.results.map(\.policy) == ["firstfit", "plain-list"] })
      #expect(report.workloads[0].results[0].throughputRounds.count == 2)
      #expect(outcome.output.hasPrefix("workload,policy,"), "standard output has the CSV alone")
      #expect(FileManager.default.fileExists(atPath: "\(folder)/sawtooth.svg"))
    },
  ]

  private static let questions = [
    OptionProof("list", ["json"]) { folder in
      let outcome = try await HeapBenchProcess.run("list", "--json", "\(folder)/list.json")
      #expect(outcome.status == 0 && outcome.output.contains("POLICIES"))
      let list = try object("\(folder)/list.json")
      #expect(Set(list.keys) == ["policies", "profiles", "traces"])
    },
    OptionProof("explain", ["seed", "scale", "json"]) { _ in
      func explanation(_ arguments: String...) async throws -> [String: Any] {
        let outcome = try await HeapBenchProcess.run(["explain", "web-server", "--json", "-"] + arguments)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
        let fields = object as? [String: Any]
        return try #require(fields)
      }
      func requested(_ explanation: [String: Any]) -> Int { explanation["requestedByteCount"] as? Int ?? 0 }
      let small = try await explanation("--scale", "0.001")
      let larger = try await explanation("--scale", "0.01")
      let other = try await explanation("--scale", "0.001", "--seed", "2")
      #expect(requested(small) > 0 && requested(larger) > 4 * requested(small))
      #expect(requested(other) != requested(small))
    },
  ]

  private static let measurements = [
    // The whole curve takes a minute in a debug build.
    OptionProof("holes", ["output", "json", "csv", "seed"]) { folder in
      let outcome = try await HeapBenchProcess.shell(
        """
        $heapbench holes --output pictures --json holes.json --csv holes.csv --seed 3 > output 2> errors &
        until grep -q '100 holes' errors; do sleep 0.1; done
        kill -INT $!; wait $!
        """, in: folder)
      #expect(outcome.status == 130, "\(outcome)")
      let curve = try JSONDecoder().decode(HoleCurve.self, from: data("\(folder)/holes.json"))
      #expect(curve.points.count >= 2 && !curve.isComplete)
      #expect(try text("\(folder)/holes.csv").hasPrefix("holes,firstfit_ns,plain-list_ns\r\n10,"))
      #expect(try text("\(folder)/pictures/holes.svg").contains("plain-list"))
    },
    OptionProof("paging", ["json"]) { folder in
      let outcome = try await HeapBenchProcess.run("paging", "--json", "\(folder)/paging.json")
      #expect(outcome.status == 0 && outcome.output.contains("TLB reach"), "\(outcome.errors)")
      let figures = try object("\(folder)/paging.json")
      #expect((figures["costs"] as? [Any])?.count == PagingOperation.allCases.count)
      #expect((figures["outcomes"] as? [Any])?.count == 15)
    },
  ]

  private static let gate = [
    OptionProof("gate", ["trace", "baseline", "only", "all", "renew", "json"]) { folder in
      let figure = "layout/firstfit/knuth-uniform"
      let some = ["gate", "--baseline", "\(folder)/baseline.json", "--only", figure]
      #expect(try await HeapBenchProcess.run(some).status == 2, "there is no such file yet")
      #expect(try await HeapBenchProcess.run(some + ["--renew"]).status == 0)
      #expect(try GateBaseline(path: "\(folder)/baseline.json").figures.count == 17)
      #expect(try await HeapBenchProcess.run(some).output.contains("(--all shows them)"))
      let all = try await HeapBenchProcess.run(some + ["--all", "--json", "\(folder)/gate.json"])
      #expect(all.status == 0 && all.output.contains("\(figure)/gini"), "\(all.errors)")
      #expect((try object("\(folder)/gate.json")["figures"] as? [Any])?.count == 17)
      let ofTrace = ["gate", "--trace", WorkloadFiles.trace("perl-hash"), "--baseline", "\(folder)/trace.json"]
      #expect(try await HeapBenchProcess.run(ofTrace + ["--renew"]).status == 0)
      #expect(try GateBaseline(path: "\(folder)/trace.json").figures.count == 17 * GateCatalog.policies.count)
      #expect(try await HeapBenchProcess.run(ofTrace).status == 0)
    }
  ]

  static func data(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: path)) }

  static func text(_ path: String) throws -> String { String(decoding: try data(path), as: UTF8.self) }

  static func object(_ path: String) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: data(path))
    return try #require(object as? [String: Any])
  }
}
