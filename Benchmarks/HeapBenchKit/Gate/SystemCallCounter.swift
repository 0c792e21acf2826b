import Foundation
import Subprocess

/// Counts the system calls of a program with strace.
struct SystemCallCounter: Sendable {
  let workbench: GateWorkbench

  /// The system calls of a run, including those of threads and children.
  ///
  /// - Parameter library: The library to preload into the program, but not into strace.
  /// - Throws: ``GateObstacle`` when strace is not installed or may not trace, or when its output is not understood.
  func count(
    _ program: String, _ arguments: [String], environment: [Environment.Key: String] = [:], library: String?
  ) async throws -> Double {
    let strace = try GateWorkbench.tool("strace", package: "strace")
    let file = "\(workbench.folder)/\(UUID().uuidString).strace"
    defer { try? FileManager.default.removeItem(atPath: file) }
    let preload = library.map { ["-E", "LD_PRELOAD=\($0)"] } ?? []
    _ = try await workbench.output(
      of: strace, ["-f", "-qq", "-c", "-o", file] + preload + [program] + arguments, environment: environment)
    // The last line of strace's table: share, seconds, microseconds for each call, calls, errors, "total".
    let lines = (try? String(contentsOfFile: file, encoding: .utf8))?.split(separator: "\n") ?? []
    let words = lines.last?.split(separator: " ") ?? []
    guard words.last == "total", words.count >= 5, let count = Double(words[3]) else {
      throw GateObstacle("strace counted nothing in \(program); it may not be allowed to trace here")
    }
    return count
  }
}
