import Foundation
import Subprocess

/// Counts the instructions of a workload's operation with valgrind's callgrind. The difference between runs of two
/// lengths leaves out the start and end of the process.
struct InstructionCount: Sendable {
  /// The workload that is counted; its loop takes seven of the instructions.
  static let workload = "pairs-64"

  static let operationCount = 100_000

  let driver: DriverProcess

  /// The instructions for each operation.
  ///
  /// - Throws: ``MeasurementFailure`` when valgrind is not installed or cannot run the library.
  func count(under allocator: ComparedAllocator) async throws -> Double {
    let folder = FileManager.default.temporaryDirectory.appending(path: "heapbench-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let library = await strippedCopy(of: allocator.library, in: folder)
    let few = try await collected(Self.operationCount, library)
    let many = try await collected(2 * Self.operationCount, library)
    return (many - few) / Double(Self.operationCount)
  }

  /// A copy of the library without debug information, some of which valgrind cannot read; the library itself where
  /// `strip` is missing.
  private func strippedCopy(of library: String?, in folder: String) async -> String? {
    guard let library else { return nil }
    let copy = "\(folder)/\(URL(filePath: library).lastPathComponent)"
    let result = try? await Subprocess.run(
      .name("strip"), arguments: ["--strip-debug", "-o", copy, library], output: .discarded, error: .discarded)
    return result?.terminationStatus.isSuccess == true ? copy : library
  }

  private func collected(_ operationCount: Int, _ library: String?) async throws -> Double {
    let result = try? await Subprocess.run(
      .name("valgrind"),
      arguments: [
        "--tool=callgrind", "--callgrind-out-file=/dev/null", driver.path, "run", Self.workload, "--operations",
        "\(operationCount)",
      ], environment: .inherit.updating(["LD_PRELOAD": library ?? ""]), output: .discarded,
      error: .string(limit: 1 << 20))
    guard let result else { throw MeasurementFailure("valgrind is not installed") }
    guard result.terminationStatus.isSuccess else { throw MeasurementFailure("it does not run under valgrind") }
    let words = result.standardError.split { $0 == " " || $0 == "\n" }
    guard let index = words.firstIndex(of: "Collected"), words.count > index + 2, let count = Double(words[index + 2])
    else { throw MeasurementFailure("callgrind counted nothing") }
    return count
  }
}
