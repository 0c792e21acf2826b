import Foundation

/// The repository's own workloads, and files of a test's making.
enum WorkloadFiles {
  /// The repository's `Benchmarks` folder.
  static let benchmarks = (0..<4).reduce(URL(filePath: #filePath)) { url, _ in url.deletingLastPathComponent() }
    .appending(path: "Benchmarks")

  /// The path of a recorded trace.
  static func trace(_ name: String) -> String { benchmarks.appending(path: "Traces/\(name).hltrace").path }

  /// Calls `body` with the path of a file that holds `bytes` until it returns.
  @discardableResult
  static func withFile<Result>(
    _ name: String, _ bytes: [UInt8], _ body: (String) throws -> Result
  ) throws -> Result {
    try withFolder([name: bytes]) { try body($0 + "/" + name) }
  }

  /// Calls `body` with the path of a folder that holds `files`, by their paths in it, until it returns.
  @discardableResult
  static func withFolder<Result>(_ files: [String: [UInt8]], _ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (path, bytes) in files {
      let file = folder.appending(path: path)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: file)
    }
    return try body(folder.path)
  }
}
