import Foundation
import Subprocess
import SystemPackage

/// What the probes share: the programs under test, a working folder, and the functions that run programs. The folder is
/// removed with the last reference to the workbench.
@safe final class GateWorkbench: Sendable {
  /// The working folder.
  let folder: String

  private let buildFolder: String

  /// A workbench for the products beside this executable.
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

  /// The path of a built file, by its name and its product.
  ///
  /// - Throws: ``GateObstacle`` when the file is missing.
  func built(_ name: String, product: String) throws(GateObstacle) -> String {
    let path = "\(buildFolder)/\(name)"
    guard FileManager.default.fileExists(atPath: path) else {
      throw GateObstacle("\(name) is not beside heapbench; build it: swift build -c release --product \(product)")
    }
    return path
  }

  /// The path of a copy of ``built(_:product:)`` without debug information: valgrind cannot read all of Swift's.
  func stripped(_ name: String, product: String) async throws -> String {
    let (original, copy) = (try built(name, product: product), "\(folder)/\(name)")
    if !FileManager.default.fileExists(atPath: copy) {
      let draft = "\(folder)/\(UUID().uuidString)"
      _ = try await output(of: Self.tool("strip", package: "binutils"), ["--strip-debug", "-o", draft, original])
      // Two probes may make the copy at the same time: either copy will do.
      // SAFETY: rename reads C strings.
      _ = unsafe rename(draft, copy)
    }
    return copy
  }

  /// The path of a tool. The system's folders come before those of PATH, which may hold a wrapper.
  ///
  /// - Throws: ``GateObstacle`` with the package to install when the tool is missing.
  static func tool(_ name: String, package: String) throws(GateObstacle) -> String {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    let paths = (["/usr/bin", "/bin"] + folders).map { "\($0)/\(name)" }
    guard let path = paths.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
      throw GateObstacle("\(name) is not installed: apt-get install \(package)")
    }
    return path
  }

  /// The size of a file in bytes.
  func byteCount(ofFile path: String) throws -> Int {
    try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
  }

  /// What a program writes to standard output, or to standard error if it writes nothing to standard output.
  ///
  /// - Throws: ``GateObstacle`` with the last line of standard error unless the program succeeds.
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
