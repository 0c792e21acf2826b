import Foundation
import HeapBenchKit

/// Where a command's results go: text to standard output, figures to the files that `--json` and `--csv` name. The name
/// `-` is standard output, which then has the figures alone.
struct Results {
  private let json: String?
  private let csv: String?

  /// The name of standard output in place of a file.
  static let standardOutput = "-"

  /// The results of a command with these options.
  ///
  /// - Throws: ``UserError`` when a file cannot be written, or when both are standard output.
  init(json: String?, csv: String? = nil) throws {
    guard json != Self.standardOutput || csv != Self.standardOutput else {
      throw UserError("--json and --csv cannot both be standard output; name a file for one of them")
    }
    self.json = json
    self.csv = csv
    for (option, path) in [("--json", json), ("--csv", csv)] {
      if let path, path != Self.standardOutput { try ResultFile.checkWritable(path, option: option) }
    }
  }

  /// Whether standard output has figures, and no text.
  var areOnStandardOutput: Bool { [json, csv].contains(Self.standardOutput) }

  /// Prints text for a person, unless standard output has the figures.
  func show(_ text: String) throws {
    if !areOnStandardOutput { try StandardOutput.write(text) }
  }

  /// Writes the figures where the options want them.
  func write(json: @autoclosure () throws -> Data, csv: @autoclosure () -> String = "") throws {
    if let path = self.json { try Self.write(try json(), to: path) }
    if let path = self.csv { try Self.write(Data(csv().utf8), to: path) }
  }

  private static func write(_ data: Data, to path: String) throws {
    if path == standardOutput { try StandardOutput.write(data) } else { try ResultFile.write(data, to: path) }
  }
}

/// A file that an option names.
enum ResultFile {
  /// Writes the file.
  ///
  /// - Throws: ``UserError`` with the system's reason.
  static func write(_ data: Data, to path: String) throws {
    do {
      try data.write(to: URL(filePath: path))
    } catch {
      throw UserError("cannot write '\(path)': \(SystemReason.text(errno)); name another file")
    }
  }

  /// Makes the folder of `--output` and the folders above it.
  static func makeFolder(_ path: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw UserError("cannot make folder '\(path)': \(SystemReason.text(errno)); name another with --output")
    }
    // SAFETY: access reads a C string.
    guard unsafe access(path, W_OK | X_OK) == 0 else {
      throw UserError("cannot write to folder '\(path)': \(SystemReason.text(errno)); name another with --output")
    }
  }

  /// Opens the file for writing and leaves its content alone; removes it again if it did not exist before.
  static func checkWritable(_ path: String, option: String) throws {
    // SAFETY: access, open and unlink read C strings.
    let existed = unsafe access(path, F_OK) == 0
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw UserError("cannot write '\(path)': \(SystemReason.text(errno)); name another file with \(option)")
    }
    close(descriptor)
    // SAFETY: as above.
    if !existed { _ = unsafe unlink(path) }
  }
}
