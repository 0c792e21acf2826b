import Foundation
import Subprocess
import SystemPackage
import Testing

@testable import HeapBenchKit

/// heapbench as a process: its output and exit status after a whole run, and after an interrupted one.
@Suite struct CommandLineTests {
  @Test func runEndsInATableAPictureAndFiles() async throws {
    try await withFolder { folder in
      let outcome = try await HeapBenchProcess.run(
        "run", "--profile", "web-server", "--scale", "0.005", "--rounds", "1", "--output", folder, "--json",
        "\(folder)/figures.json", "--csv", "\(folder)/figures.csv")
      #expect(outcome.status == 0, "\(outcome.errors)")
      for wanted in [
        "web-server", "general", "firstfit", "buddy", "system", "The worst heap: web-server under", "each cell",
        "Left out, since",
      ] {
        #expect(outcome.output.contains(wanted), "\(wanted) in\n\(outcome.output)")
      }
      #expect(outcome.output.hasPrefix("This is a debug build: its figures mean nothing.") == Self.isDebugBuild)
      let data = try Data(contentsOf: URL(filePath: "\(folder)/figures.json"))
      let report = try JSONDecoder().decode(BenchmarkReport.self, from: data)
      #expect(report.isComplete)
      #expect(report.workloads.first?.results.map(\.policy) == ["general", "firstfit", "buddy", "system"])
      #expect(report.workloads.first?.results.allSatisfy { $0.memory != nil && $0.latency != nil } == true)
      #expect(FileManager.default.fileExists(atPath: "\(folder)/web-server.svg"))
      #expect(FileManager.default.fileExists(atPath: "\(folder)/figures.csv"))
    }
  }

  @Test func twoRunsGiveTheSameLayoutToTheByte() async throws {
    func layouts() async throws -> Data {
      var all = Data()
      try await withFolder { folder in
        let outcome = try await HeapBenchProcess.run(
          "run", "--profile", "sawtooth", "--scale", "0.002", "--rounds", "1", "--seed", "5", "--policy", "firstfit",
          "--policy", "buddy", "--json", "\(folder)/figures.json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let data = try Data(contentsOf: URL(filePath: "\(folder)/figures.json"))
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        for result in try JSONDecoder().decode(BenchmarkReport.self, from: data).workloads.flatMap(\.results) {
          all += try encoder.encode(result.layout)
        }
      }
      return all
    }
    let first = try await layouts()
    #expect(first.count > 1000)
    #expect(try await layouts() == first)
  }

  @Test func ctrlCShowsWhatWasMeasuredSoFar() async throws {
    let result = try await Subprocess.run(
      .path(FilePath(HeapBenchProcess.path)),
      arguments: ["run", "--profile", "web-server", "--scale", "0.02", "--rounds", "1000", "--policy", "firstfit"],
      workingDirectory: FilePath(WorkloadFiles.benchmarks.path),
      input: .none, output: .string(limit: 1 << 22), error: .string(limit: 1 << 20)
    ) { execution in
      try await Task.sleep(for: .seconds(3))
      try execution.send(signal: .interrupt)
    }
    #expect(result.terminationStatus == .exited(130))
    #expect(result.standardOutput.contains("web-server"))
    #expect(result.standardError.contains("heapbench: interrupted; the figures above are those measured until then"))
  }

  /// The C header is the one place with the version.
  @Test func whatIsMeasuredRunsAtThePriorityOfHeapbench() async throws {
    let outcome = try await HeapBenchProcess.shell(
      """
      nice -n 7 "$heapbench" run --profile web-server --scale 0.02 --rounds 2 --policy firstfit >/dev/null 2>&1 & pid=$!
      niceness() { cut -d ' ' -f 19 "/proc/$1/stat"; }
      while kill -0 $pid 2>/dev/null; do
        for child in $(cat /proc/$pid/task/*/children 2>/dev/null); do
          own=$(niceness $pid 2>/dev/null) its=$(niceness $child 2>/dev/null) && echo "$((its - own))"
        done
        sleep 0.05
      done | sort -u
      """)
    #expect(outcome.output == "0\n")
  }

  @Test func theVersionIsThatOfTheHeader() async throws {
    let header = WorkloadFiles.benchmarks.appending(path: "../CShims/CLabMalloc/include/heaplab.h")
    let text = try String(contentsOf: header, encoding: .utf8)
    let version = try #require(text.firstMatch(of: /#define HEAPLAB_VERSION "([0-9]+\.[0-9]+\.[0-9]+)"\n/)).1
    let outcome = try await HeapBenchProcess.run("--version")
    #expect(outcome.status == 0)
    #expect(outcome.output == "heapbench \(version)\n")
  }

  @Test func helpListAndExplainSayWhatTheyShould() async throws {
    let help = try await HeapBenchProcess.run("--help")
    #expect(help.status == 0)
    #expect(help.output.contains("EXAMPLES") && help.output.contains("heapbench run --trace sqlite-oltp"))
    let list = try await HeapBenchProcess.run("list")
    for wanted in ["general", "firstfit", "buddy", "plain-list", "system", "web-server", "sqlite-oltp"] {
      #expect(list.output.contains(wanted))
    }
    for policy in PolicyCatalog.all {
      let explanation = try await HeapBenchProcess.run("explain", policy.name)
      #expect(explanation.status == 0 && explanation.output.hasPrefix("\(policy.name)\n"))
      #expect(!policy.explanation.isEmpty && explanation.output.count > policy.explanation.count)
    }
    let explanation = try await HeapBenchProcess.run("explain", "web-server", "--scale", "0.01")
    #expect(explanation.status == 0)
    #expect(explanation.output.contains("sizes asked for") && explanation.output.contains("peak live"))
  }

  /// The tests and heapbench are built together.
  private static var isDebugBuild: Bool {
    #if DEBUG
      true
    #else
      false
    #endif
  }

  private func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try await body(folder.path)
  }
}
