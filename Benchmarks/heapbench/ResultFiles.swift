import Foundation
import HeapBenchKit

/// The files that a benchmark writes, checked before it starts.
struct ResultFiles {
  private let folder: String?
  private let json: String?
  private let csv: String?

  /// The folder of the main job's files.
  static let defaultFolder = "bench-results"

  /// The files that the options name. The main job writes all of them without being asked.
  ///
  /// - Throws: ``UserError`` when a file cannot be written.
  init(_ options: OutputOptions, isMainJob: Bool) throws {
    folder = options.output ?? (isMainJob ? Self.defaultFolder : nil)
    json = options.json ?? (isMainJob ? folder.map { $0 + "/report.json" } : nil)
    csv = options.csv ?? (isMainJob ? folder.map { $0 + "/report.csv" } : nil)
    if let folder { try Self.makeFolder(folder) }
    for (option, path) in [("--json", json), ("--csv", csv)] {
      if let path { try Self.checkWritable(path, option: option) }
    }
  }

  /// Writes the files.
  ///
  /// - Returns: A line for each file or group of files.
  func write(_ report: BenchmarkReport) throws -> [String] {
    var lines: [String] = []
    if let folder {
      var count = 0
      for workload in report.workloads {
        guard let sheet = HeapPictureSheet(workload) else { continue }
        try Self.write(Data(sheet.svg.utf8), to: "\(folder)/\(workload.name).svg")
        count += 1
      }
      if count > 0 {
        let worst = report.worstHeap.map { ", the worst in \(folder)/\($0.workload.name).svg" } ?? ""
        lines.append("Pictures of each heap at its worst moment: \(folder)/*.svg\(worst)")
      }
    }
    if let json {
      try Self.write(report.json(), to: json)
      lines.append("All figures: \(json)")
    }
    if let csv {
      try Self.write(Data(report.csv.utf8), to: csv)
      lines.append("One line for each workload and policy: \(csv)")
    }
    return lines
  }

  static func write(_ data: Data, to path: String) throws {
    do {
      try data.write(to: URL(filePath: path))
    } catch {
      throw UserError("cannot write '\(path)': \(reason(errno)); name another file")
    }
  }

  static func makeFolder(_ path: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw UserError("cannot make folder '\(path)': \(reason(errno)); name another with --output")
    }
    // SAFETY: access and, below, access, open and unlink read C strings.
    guard unsafe access(path, W_OK | X_OK) == 0 else {
      throw UserError("cannot write to folder '\(path)': \(reason(errno)); name another with --output")
    }
  }

  /// Opens the file for writing and leaves its content alone; removes it again if it did not exist before.
  static func checkWritable(_ path: String, option: String) throws {
    // SAFETY: access, open and unlink read C strings.
    let existed = unsafe access(path, F_OK) == 0
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw UserError("cannot write '\(path)': \(reason(errno)); name another file with \(option)")
    }
    close(descriptor)
    // SAFETY: as above.
    if !existed { _ = unsafe unlink(path) }
  }

  private static func reason(_ code: Int32) -> String {
    // SAFETY: strerror returns a C string that stays valid until the next call on this thread.
    unsafe String(cString: strerror(code))
  }
}
