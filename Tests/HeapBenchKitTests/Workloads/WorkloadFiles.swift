import Foundation

/// The repository's own workloads, and files that a test creates.
enum WorkloadFiles {
  /// The repository's `Benchmarks` folder.
  static let benchmarks = (0..<4).reduce(URL(filePath: #filePath)) { url, _ in url.deletingLastPathComponent() }
    .appending(path: "Benchmarks")

  /// The path of a recorded trace.
  static func trace(_ name: String) -> String { benchmarks.appending(path: "Traces/\(name).hltrace").path }

  /// Passes the path of a file with `bytes` to `body`, and removes the file afterwards.
  @discardableResult
  static func withFile<Result>(
    _ name: String, _ bytes: [UInt8], _ body: (String) throws -> Result
  ) throws -> Result {
    try withFolder([name: bytes]) { try body($0 + "/" + name) }
  }

  /// Passes the path of a folder with `files`, by their relative paths, to `body`, and removes the folder afterwards.
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
