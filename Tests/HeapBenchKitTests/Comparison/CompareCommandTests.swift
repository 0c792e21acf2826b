import Foundation
import Subprocess
import SystemPackage
import Testing

@testable import HeapBenchKit

/// `heapbench compare` as a user starts it.
@Suite struct CompareCommandTests {
  @Test func aFewWorkloadsEndInTables() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let json = folder.appending(path: "figures.json").path
    let outcome = try await HeapBenchProcess.run(
      "compare", "--quick", "--rounds", "1", "--only", "pairs-16", "--only", "short-threads", "--json", json)
    #expect(outcome.status == 0, "\(outcome.errors)")
    for wanted in ["pairs-16", "short-threads", "glibc", "heaplab", "Speed: ", "Footprint: ", "60 × 64 short threads"] {
      #expect(outcome.output.contains(wanted), "\(wanted) in\n\(outcome.output)")
    }
    let report = try JSONDecoder().decode(ComparisonReport.self, from: Data(contentsOf: URL(filePath: json)))
    #expect(report.isComplete && !report.isWhole)
    #expect(report.item("pairs-16")?.runs["heaplab"]?.figures.count == 1)
  }

  @Test func anAllocatorThatDiesIsSaidInTheTable() async throws {
    // The file is no library. The loader refuses it, and the driver would measure the C library's allocator.
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let library = folder.appending(path: "libnothing.so")
    try Data("no library".utf8).write(to: library)
    let outcome = try await HeapBenchProcess.run(
      "compare", "--quick", "--rounds", "1", "--only", "pairs-16", "--allocator", "nothing=\(library.path)")
    #expect(outcome.status == 2)
    #expect(outcome.output.contains("failed: pairs-16 under nothing: the loader cannot preload it"))
    #expect(outcome.errors.hasSuffix("heapbench: some measurements failed, see the lines above\n"))
  }

  @Test func ctrlCShowsWhatWasMeasuredSoFar() async throws {
    let result = try await Subprocess.run(
      .path(FilePath(HeapBenchProcess.path)),
      arguments: ["compare", "--only", "pairs-16", "--only", "pairs-64", "--rounds", "1000"],
      workingDirectory: FilePath(WorkloadFiles.benchmarks.path), input: .none, output: .string(limit: 1 << 20),
      error: .string(limit: 1 << 20)
    ) { execution in
      try await Task.sleep(for: .seconds(2))
      try execution.send(signal: .interrupt)
    }
    #expect(result.terminationStatus == .exited(130), "\(result.standardError)")
    #expect(result.standardError.hasSuffix("interrupted; the figures above are those measured until then\n"))
  }

  @Test(arguments: [
    (["--only", "pears-64"], "no workload is called 'pears-64'; did you mean 'pairs-64'?"),
    (["--allocator", "mine"], "--allocator takes NAME=PATH.so, found 'mine'"),
    (["--allocator", "mine=/nowhere/mine.so"], "allocator 'mine': no library at '/nowhere/mine.so'"),
    (["--library", "/nowhere/libheaplab.so"], "allocator 'heaplab': no library at '/nowhere/libheaplab.so'"),
    (["--allocator", "heaplab=/bin/true"], "two allocators are called 'heaplab'; name one of them otherwise with"),
    (["--rounds", "0"], "--rounds must be 1…1000, found 0"),
    (["--json", "/proc/figures.json"], "cannot write '/proc/figures.json': "),
  ])
  func badInputIsOneLine(arguments: [String], line: String) async throws {
    let outcome = try await HeapBenchProcess.run(["compare"] + arguments)
    #expect(outcome.status == 2)
    #expect(outcome.errors.hasPrefix("heapbench: \(line)"), "\(outcome.errors)")
    #expect(outcome.errors.filter(\.isNewline).count == 1, "\(outcome.errors)")
  }
}
