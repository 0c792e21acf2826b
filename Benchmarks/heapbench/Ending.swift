import ArgumentParser
import Foundation
import HeapBenchKit

/// A mistake of the user: one line that says how to mend it.
struct UserError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// How heapbench ends: with status 0 when it is done, 1 after a regression, 2 for bad input, 3 for times that are
/// undecided, 130 when interrupted.
enum Ending {
  /// The status of a gate that found a regression.
  static let regression: Int32 = 1

  /// The status for bad input, and for figures that cannot be measured.
  static let badInput: Int32 = 2

  /// The status of a gate whose counts hold, and that could not decide about times.
  static let undecidedTimes: Int32 = 3

  /// The status of a job that Ctrl-C ended, as shells report it.
  static let interrupted: Int32 = 130

  /// Does the work and ends the process with the status that fits its outcome.
  static func exit(after work: () throws -> Void) -> Never {
    do {
      try work()
      Foundation.exit(0)
    } catch let code as ExitCode {
      Foundation.exit(code.rawValue)
    } catch is CancellationError {
      complain("interrupted; nothing came of it")
      Foundation.exit(interrupted)
    } catch {
      guard HeapBench.exitCode(for: error) != .success else {
        exit(after: { try StandardOutput.line(HeapBench.fullMessage(for: error)) })
      }
      complain(line(for: error))
      Foundation.exit(badInput)
    }
  }

  /// Says that the job was interrupted after its first figures, and returns the exit code to throw.
  static func interruptedAfterFigures() -> ExitCode {
    complain("interrupted; the figures above are those measured until then")
    return ExitCode(interrupted)
  }

  /// Writes one line to standard error.
  static func complain(_ line: String) {
    FileHandle.standardError.write(Data("heapbench: \(line)\n".utf8))
  }

  /// An error as one line. This package's errors describe themselves; the parser's are followed by the help command.
  private static func line(for error: any Error) -> String {
    if let error = error as? UserError { return error.description }
    let isParsing = String(reflecting: type(of: error)).hasPrefix("ArgumentParser.")
    let text = isParsing ? HeapBench.message(for: error) : "\(error)"
    let line = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .joined(separator: " ")
    guard isParsing else { return line }
    let names = HeapBench.configuration.subcommands.map { $0._commandName }
    let command = CommandLine.arguments.dropFirst().first { names.contains($0) } ?? AllCommand._commandName
    let sentence = line.hasSuffix(".") ? String(line.dropLast()) : line
    return "\(sentence); see 'heapbench \(command) --help'"
  }

  /// Prints the first line of a debug build, unless standard output has something else than a report for a person.
  static func greetDebugBuild(_ arguments: [String]) throws {
    #if DEBUG
      let silent: Set = ["record", "-h", "--help", "--version", "help", "list", "explain", "-", "--json=-", "--csv=-"]
      let hidden = HeapBench.configuration.subcommands.filter { !$0.configuration.shouldDisplay }
      let isSilent = arguments.contains { argument in
        silent.contains(argument) || argument.hasPrefix("--experimental") || argument.hasPrefix("--generate")
          || hidden.contains { $0._commandName == argument }
      }
      if !isSilent {
        let text = "This is a debug build: its figures mean nothing. For real ones: swift run -c release heapbench"
        try StandardOutput.line(TerminalStyle.standardOutput.paragraph(text))
      }
    #endif
  }
}
