import Foundation
import Testing

@testable import HeapBenchKit

/// A baseline's file: it is read as it was written, and a damaged one gives a clear message.
@Suite struct GateBaselineTests {
  private static let machine = GateMachine(traits: [.architecture: "x86_64", .compiler: "a compiler"])

  @Test func aBaselineIsReadAsItWasWritten() throws {
    let baseline = GateBaseline(figures: ["b/two": 0.1, "a/one": 22_755_769, "c": -1], machine: Self.machine)
    try withFile { path in
      try baseline.write(to: path)
      #expect(try GateBaseline(path: path) == baseline)
      let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
      let figures = lines.filter { $0.contains("/") }.map { $0.split(separator: "\"")[1] }
      #expect(figures == ["a/one", "b/two"], "sorted, one figure a line")
      #expect(lines.contains { $0.hasSuffix(": 0.1,") })
    }
  }

  @Test func aMissingBaselineIsSaidToBeMissing() {
    let line =
      "there is no baseline '/nowhere/x.json'; name one with --baseline, or make it: scripts/update-baselines"
    #expect(throws: GateObstacle(line)) { try GateBaseline(path: "/nowhere/x.json") }
  }

  @Test(arguments: [
    ("", "it is not JSON"),
    ("{\"figures\": {\"a\": 1}, \"format\": 1", "it is not JSON"),
    ("{\"format\": 1, \"machine\": {}}", "it has no 'figures'"),
    ("{\"figures\": {\"a\": \"x\"}, \"format\": 1, \"machine\": {}}", "'figures.a' is not what it should be"),
    ("{\"figures\": {\"a\": 1}, \"format\": 2, \"machine\": {}}", "its format is 2, not 1"),
    ("{\"figures\": {}, \"format\": 1, \"machine\": {}}", "it holds no figures"),
    (
      "{\"figures\": {\"a\": 1}, \"format\": 1, \"machine\": {\"moon\": \"full\"}}",
      "it knows of a machine's 'moon', which heapbench does not"
    ),
  ])
  func aDamagedBaselineIsSaidToBeDamaged(text: String, reason: String) throws {
    try withFile { path in
      try Data(text.utf8).write(to: URL(filePath: path))
      let line =
        "baseline '\(path)' is damaged: \(reason); restore it, or renew it: scripts/update-baselines"
      #expect(throws: GateObstacle(line)) { try GateBaseline(path: path) }
    }
  }

  @Test func theRepositorysBaselineKnowsEveryFigureAndNoOther() throws {
    let workloads = try WorkloadCatalog(folder: WorkloadFiles.benchmarks.path)
    let path = "\(workloads.folder)/Baselines/x86_64.json"
    let stored = Set(try GateBaseline(path: path).figures.keys)
    let known = Set(GateCatalog(workloads: workloads).figures.map(\.name))
    #expect(stored.subtracting(known).sorted().prefix(3) == [], "renamed or gone: scripts/update-baselines")
    #expect(known.subtracting(stored).sorted().prefix(3) == [], "new: scripts/update-baselines")
  }

  private func withFile(_ body: (String) throws -> Void) throws {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    try body(file.path)
  }
}
