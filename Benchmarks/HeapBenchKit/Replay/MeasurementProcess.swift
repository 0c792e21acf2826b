import Foundation
import Subprocess
import SystemPackage

/// Measures in a process of its own, so that a resident set is clean, a policy that dies takes nothing with it, and
/// one measurement leaves nothing behind for the next.
public struct MeasurementProcess: Sendable {
  /// The heapbench executable.
  let executable: String

  /// The first argument that makes heapbench measure; the request follows.
  public static let subcommand = "measure"

  /// Processes that run `executable`, by default this process's own.
  public init(executable: String? = nil) {
    self.executable =
      executable ?? (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      ?? CommandLine.arguments[0]
  }

  /// What the executable answers to a request.
  ///
  /// - Throws: ``MeasurementFailure`` with the process's own last line, or that the task was cancelled.
  func measure(_ request: MeasurementRequest) async throws -> Measurement {
    let json = String(decoding: try JSONEncoder().encode(request), as: UTF8.self)
    var options = PlatformOptions()
    options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .milliseconds(200))]
    let result = try await run(
      .path(FilePath(executable)), arguments: [Self.subcommand, json], platformOptions: options,
      output: .string(limit: 64 << 20), error: .string(limit: 1 << 20))
    try Task.checkCancellation()
    guard result.terminationStatus.isSuccess else {
      let lines = result.standardError.split(separator: "\n").map(String.init)
      let line = lines.last { $0.hasPrefix("heap") } ?? lines.last ?? "\(result.terminationStatus)"
      throw MeasurementFailure(
        "policy '\(request.policy)' ended on '\(request.workload)': \(line.droppingPrefix("heapbench: "))")
    }
    return try JSONDecoder().decode(Measurement.self, from: Data(result.standardOutput.utf8))
  }

  /// Does what a process with the arguments `measure REQUEST` is for, and returns what it prints.
  public static func answer(to json: String) throws -> String {
    let request = try JSONDecoder().decode(MeasurementRequest.self, from: Data(json.utf8))
    return String(decoding: try JSONEncoder().encode(try request.measure()), as: UTF8.self)
  }
}

extension String {
  /// The string without `prefix`, if it starts with it.
  func droppingPrefix(_ prefix: String) -> String {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
  }
}
