import Foundation
import Subprocess

/// Counts the instructions of a program with valgrind's callgrind. The count is the same in every run in which the
/// program does the same, on any machine and under any load.
///
/// callgrind counts a repeated store (`rep stosb`) once for each repetition.
struct InstructionCounter: Sendable {
  let workbench: GateWorkbench

  /// The instructions of a run of `program`: all of them, or those inside a function whose mangled name matches
  /// `function`.
  ///
  /// - Throws: ``GateObstacle`` when valgrind is not installed, or when its output is not understood.
  func count(
    _ program: String, _ arguments: [String], within function: String? = nil,
    environment: [Environment.Key: String] = [:]
  ) async throws -> Double {
    let valgrind = try GateWorkbench.tool("valgrind", package: "valgrind")
    let file = "\(workbench.folder)/\(UUID().uuidString).callgrind"
    defer { try? FileManager.default.removeItem(atPath: file) }
    let selection = function.map { ["--collect-atstart=no", "--toggle-collect=\($0)"] } ?? []
    _ = try await workbench.output(
      of: valgrind, ["--tool=callgrind", "--callgrind-out-file=\(file)"] + selection + [program] + arguments,
      environment: environment)
    let lines = (try? String(contentsOfFile: file, encoding: .utf8))?.split(separator: "\n") ?? []
    guard let line = lines.last(where: { $0.hasPrefix("totals: ") }), let count = Double(line.dropFirst(8)), count > 0
    else { throw GateObstacle("callgrind counted nothing in \(program) \(arguments.joined(separator: " "))") }
    return count
  }
}
