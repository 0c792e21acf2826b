import Foundation
import Subprocess
import SystemPackage

/// Measures in a process of its own. The resident set is then clean, a crash of a policy ends only that process, and
/// one measurement does not affect the next.
public struct MeasurementProcess: Sendable {
  /// The path of the heapbench executable.
  let executable: String

  /// The argument that makes heapbench measure; the request follows it.
  public static let subcommand = "measure"

  /// Processes of `executable`, by default this process's own.
  public init(executable: String? = nil) {
    self.executable =
      executable ?? (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      ?? CommandLine.arguments[0]
  }

  /// Starts a process with a request and returns its answer.
  ///
  /// - Throws: ``MeasurementFailure`` with the last line of the process, or `CancellationError`.
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

  /// Runs a request in this process, which was started as `heapbench measure REQUEST`, and returns the answer to print.
  public static func answer(to json: String) throws -> String {
    let request = try JSONDecoder().decode(MeasurementRequest.self, from: Data(json.utf8))
    return String(decoding: try JSONEncoder().encode(try request.measure()), as: UTF8.self)
  }
}

extension String {
  /// The string without `prefix`; the string itself when it does not start with it.
  func droppingPrefix(_ prefix: String) -> String {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
  }
}
