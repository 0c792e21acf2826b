import Foundation

/// Counts the instructions of an operation: runs this program again under valgrind's callgrind, which counts while the
/// measured function runs and at no other time.
public enum PagingInstructionCount {
  /// The command that does one operation once; `heapbench` has it and does not list it.
  public static let subcommand = "paging-operation"

  /// Why there is no count, for people.
  public struct Missing: Error, CustomStringConvertible, Sendable {
    public let description: String
  }

  /// Does what the command is for: one operation, once.
  public static func perform(_ operation: PagingOperation) throws {
    var run = try PagingRun()
    try run.run(operation) { try $0() }
  }

  /// Instructions for each page or address.
  ///
  /// - Throws: ``Missing`` when valgrind or strip is not installed, or does not say what is expected.
  public static func count(_ operation: PagingOperation) throws(Missing) -> Double {
    guard let valgrind = path(of: "valgrind") else { throw Missing(description: "valgrind not installed") }
    guard let strip = path(of: "strip") else { throw Missing(description: "strip (binutils) not installed") }
    let folder = NSTemporaryDirectory() + "/heapbench-\(ProcessInfo.processInfo.processIdentifier)"
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: folder) }
      // Valgrind cannot read all of Swift's debug information, and needs none of it.
      let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
      _ = try output(of: strip, ["--strip-debug", "-o", "\(folder)/heapbench", executable])
      let text = try output(
        of: valgrind,
        [
          "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=$s12HeapBenchKit??pagingMeasured*",
          "--callgrind-out-file=\(folder)/callgrind.out", "\(folder)/heapbench", subcommand, operation.rawValue,
        ])
      let words = text.split { $0 == " " || $0 == "\n" }
      guard let index = words.firstIndex(of: "Collected"), words.count > index + 2,
        let count = Double(words[index + 2]),
        count > 0
      else { throw Missing(description: "callgrind counted nothing") }
      return count / Double(PagingOperation.pageCount)
    } catch let error as Missing {
      throw error
    } catch {
      throw Missing(description: "\(error)")
    }
  }

  private static func path(of program: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
    return folders.map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// What a program says on both outputs; throws unless it ends well.
  private static func output(of program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Missing(description: "\(program) failed: \(text.split(separator: "\n").last ?? "")")
    }
    return text
  }
}
