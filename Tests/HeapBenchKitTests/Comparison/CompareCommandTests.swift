import Foundation
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
    for wanted in [
      "pairs-16", "short-threads", "glibc", "heaplab", "Measured on ", "Speed: ", "Footprint: ",
      "60 × 64 short threads",
    ] {
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

  /// Ctrl-C in the second workload, or in the first.
  @Test(arguments: [
    ("pairs-64", "interrupted; the figures above are those measured until then"),
    ("pairs-16", "interrupted; nothing came of it"),
  ])
  func ctrlCShowsWhatWasMeasuredSoFar(workload: String, line: String) async throws {
    let outcome = try await HeapBenchProcess.shell(
      """
      errors=$(mktemp); $heapbench compare --only pairs-16 --only pairs-64 --rounds 20 2> "$errors" &
      until grep -q \(workload) "$errors"; do sleep 0.1; done
      kill -INT $!; wait $!; status=$?; cat "$errors" >&2; rm "$errors"; exit $status
      """)
    #expect(outcome.status == 130, "\(outcome.errors)")
    #expect(outcome.errors.hasSuffix("heapbench: \(line)\n"), "\(outcome.errors)")
    #expect(outcome.output.contains("Speed:") == (workload == "pairs-64"))
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
