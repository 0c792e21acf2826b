import Foundation
import Testing

@testable import HeapBenchKit

/// The gate as a process: its exit status and its messages.
@Suite struct GateCommandTests {
  private static let figure = "layout/firstfit/knuth-uniform/peak-heap-bytes"

  @Test func aLayoutHoldsAgainstItselfAndNotAgainstABetterOne() async throws {
    try await withFile { path in
      let renewal = try await HeapBenchProcess.run("gate", "--baseline", path, "--only", Self.figure, "--renew")
      #expect(renewal.status == 0, "\(renewal.errors)")
      #expect(renewal.output.contains("The baseline is renewed: \(path)"))

      let same = try await HeapBenchProcess.run("gate", "--baseline", path, "--only", Self.figure, "--all")
      #expect(same.status == 0, "\(same.errors)")
      #expect(same.output.contains("\(Self.figure) ") && same.output.contains("exact  holds"), "\(same.output)")

      var baseline = try GateBaseline(path: path)
      baseline.figures[Self.figure]? -= 16
      try baseline.write(to: path)
      let worse = try await HeapBenchProcess.run("gate", "--baseline", path, "--only", Self.figure)
      #expect(worse.status == 1)
      #expect(worse.errors.contains("heapbench: worse than the tolerance allows: \(Self.figure) (+"))
      #expect(worse.output.contains("worse"))
    }
  }

  @Test func aFigureThatIsGoneOrNewIsNoPass() async throws {
    try await withFile { path in
      let machine = try await GateMachine.current(on: GateWorkbench())
      try GateBaseline(figures: ["layout/firstfit/knuth-unifrom/peak-heap-bytes": 1], machine: machine).write(to: path)
      let outcome = try await HeapBenchProcess.run(
        "gate", "--baseline", path, "--only", Self.figure, "--only", "knuth-unifrom")
      #expect(outcome.status == 2)
      #expect(outcome.errors.contains("heapbench: the baseline has what nothing here measures, because it was renamed"))
      #expect(outcome.errors.contains("heapbench: the baseline does not have \(Self.figure); renew it"))
    }
  }

  @Test func badInputIsOneLine() async throws {
    try await withFile { path in
      let missing = try await HeapBenchProcess.run("gate", "--baseline", path)
      #expect(missing.status == 2)
      #expect(missing.errors.hasPrefix("heapbench: there is no baseline '\(path)'; "), "\(missing.errors)")
      #expect(missing.errors.filter(\.isNewline).count == 1)

      try Data("{\"figures\"".utf8).write(to: URL(filePath: path))
      let damaged = try await HeapBenchProcess.run("gate", "--baseline", path)
      #expect(damaged.status == 2)
      #expect(damaged.errors.hasPrefix("heapbench: baseline '\(path)' is damaged: it is not JSON; "))
      #expect(damaged.errors.filter(\.isNewline).count == 1)
    }
    let unknown = try await HeapBenchProcess.run("gate", "--baseline", "Baselines/x86_64.json", "--only", "firstfti")
    #expect(unknown.status == 2)
    #expect(unknown.errors == "heapbench: no figure is called 'firstfti'; did you mean 'firstfit'?\n")
  }

  private func withFile(_ body: (String) async throws -> Void) async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    try await body(file.path)
  }
}
