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
    try await run(path, arguments)
  }

  /// Runs a script of the shell in the folder of the profiles and traces; `$heapbench` is the executable.
  static func shell(_ script: String, in folder: String = WorkloadFiles.benchmarks.path) async throws -> Outcome {
    try await run("/bin/sh", ["-c", "heapbench='\(path)'; \(script)"], in: folder)
  }

  private static func run(
    _ program: String, _ arguments: [String], in folder: String = WorkloadFiles.benchmarks.path
  ) async throws -> Outcome {
    let result = try await Subprocess.run(
      .path(FilePath(program)), arguments: Arguments(arguments),
      environment: .inherit.updating(["HEAPBENCH_HOME": WorkloadFiles.benchmarks.path]),
      workingDirectory: FilePath(folder), output: .string(limit: 1 << 25), error: .string(limit: 1 << 20))
    var status: Int32?
    if case .exited(let code) = result.terminationStatus { status = code }
    return Outcome(status: status, output: result.standardOutput, errors: result.standardError)
  }
}
