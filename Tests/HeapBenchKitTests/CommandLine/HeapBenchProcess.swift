import Foundation
import Subprocess
import SystemPackage

/// Runs the built heapbench as a user would.
enum HeapBenchProcess {
  /// The outcome of a run.
  struct Outcome: Sendable {
    let status: Int32?
    let output: String
    let errors: String
  }

  /// The executable beside the test bundle.
  static let path: String = {
    let bundle =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    return URL(filePath: bundle).deletingLastPathComponent().appending(path: "heapbench").path
  }()

  /// Runs heapbench to its end in the folder of the profiles and traces.
  static func run(_ arguments: String...) async throws -> Outcome {
    try await run(arguments)
  }

  /// Runs heapbench to its end in the folder of the profiles and traces.
  static func run(_ arguments: [String]) async throws -> Outcome {
    let result = try await Subprocess.run(
      .path(FilePath(path)), arguments: Arguments(arguments), workingDirectory: FilePath(WorkloadFiles.benchmarks.path),
      output: .string(limit: 1 << 22), error: .string(limit: 1 << 20))
    var status: Int32?
    if case .exited(let code) = result.terminationStatus { status = code }
    return Outcome(status: status, output: result.standardOutput, errors: result.standardError)
  }
}
