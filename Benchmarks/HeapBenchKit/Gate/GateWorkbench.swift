import Foundation
import Subprocess
import SystemPackage

/// What probes work with: the programs under test, made ready in a folder of their own that goes with the last user,
/// and the ways to run them.
@safe final class GateWorkbench: Sendable {
  /// The folder.
  let folder: String

  private let buildFolder: String

  /// A workbench over what was built beside this executable.
  init() throws(GateObstacle) {
    let parent = URL(filePath: NSTemporaryDirectory()).path
    folder = "\(parent)/heapbench-\(ProcessInfo.processInfo.processIdentifier)-\(UUID().uuidString)"
    let executable = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    buildFolder = URL(filePath: executable ?? CommandLine.arguments[0]).deletingLastPathComponent().path
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw GateObstacle("cannot make a folder in '\(parent)'; set TMPDIR to one that can be written to")
    }
  }

  deinit {
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// One of the files that the package builds, by its name and the product that it is of.
  ///
  /// - Throws: ``GateObstacle`` when it is not there.
  func built(_ name: String, product: String) throws(GateObstacle) -> String {
    let path = "\(buildFolder)/\(name)"
    guard FileManager.default.fileExists(atPath: path) else {
      throw GateObstacle("\(name) is not beside heapbench; build it: swift build -c release --product \(product)")
    }
    return path
  }

  /// As ``built(_:product:)``, without debug information: valgrind cannot read all of Swift's, and needs none.
  func stripped(_ name: String, product: String) async throws -> String {
    let (original, copy) = (try built(name, product: product), "\(folder)/\(name)")
    if !FileManager.default.fileExists(atPath: copy) {
      let draft = "\(folder)/\(UUID().uuidString)"
      _ = try await output(of: Self.tool("strip", package: "binutils"), ["--strip-debug", "-o", draft, original])
      // Two probes may want it at once: either's copy will do.
      // SAFETY: rename reads C strings.
      _ = unsafe rename(draft, copy)
    }
    return copy
  }

  /// Where a tool is: in the system's folders before those of PATH, where a wrapper may stand in front of it.
  ///
  /// - Throws: ``GateObstacle`` with the package to install when it is nowhere.
  static func tool(_ name: String, package: String) throws(GateObstacle) -> String {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    let paths = (["/usr/bin", "/bin"] + folders).map { "\($0)/\(name)" }
    guard let path = paths.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
      throw GateObstacle("\(name) is not installed: apt-get install \(package)")
    }
    return path
  }

  /// How long a file is.
  func byteCount(ofFile path: String) throws -> Int {
    try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
  }

  /// What a program writes to standard output, or to standard error where it writes nothing to the first.
  ///
  /// - Throws: ``GateObstacle`` with its last words unless it ends well.
  func output(
    of program: String, _ arguments: [String], environment: [Environment.Key: String] = [:]
  ) async throws -> String {
    let overrides = environment.mapValues { Optional($0) }
    let result = try await run(
      .path(FilePath(program)), arguments: Arguments(arguments), environment: .inherit.updating(overrides),
      input: .none, output: .string(limit: 16 << 20), error: .string(limit: 1 << 20))
    try Task.checkCancellation()
    guard result.terminationStatus.isSuccess else {
      let words = result.standardError.split(separator: "\n").last.map(String.init) ?? "\(result.terminationStatus)"
      throw GateObstacle("\(([program] + arguments.prefix(3)).joined(separator: " ")) failed: \(words)")
    }
    return result.standardOutput.isEmpty ? result.standardError : result.standardOutput
  }
}
