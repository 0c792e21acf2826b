import ArgumentParser
import HeapBenchKit

/// Turns traces into other files, and other files into traces.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Converts a trace to the newest version, to JSON lines or to CSV, and other recordings to a trace.",
    discussion: """
      The names say the formats: .hltrace is a trace, of which version 2 is written; .jsonl has a JSON object in each \
      line, .csv a line for each call. heaptrack's files are read. docs/traces.md describes all of them.

      EXAMPLES
        heapbench convert old.hltrace new.hltrace
        heapbench convert app.hltrace app.jsonl
        heapbench convert heaptrack.app.4711.zst app.hltrace
        heapbench convert calls.txt app.hltrace --from jsonl
      """)

  @Argument(help: "The file to read.") var input: String
  @Argument(help: "The file to write.") var output: String

  @Option(name: .long, help: ArgumentHelp("The input's format, whatever its name is.", valueName: "format"))
  var from: String?

  func run() throws {
    let source = try from.map(Self.format) ?? Self.format(ofName: input, option: " with --from")
    let target = try Self.format(ofName: output, option: "")
    guard source != target || input != output else {
      throw UserError("'\(input)' would be overwritten while it is read; name another output")
    }
    let outcome = try TraceConversion.convert(input, source, to: output, target)
    if !outcome.isWhole { Ending.complain("trace '\(input)' was cut off; its whole blocks were converted") }
    try StandardOutput.line("\(outcome.callCountText) in '\(output)'")
  }

  private static func format(_ name: String) throws -> TraceConversion.Format {
    guard let format = TraceConversion.Format(rawValue: name) else {
      let names = TraceConversion.Format.allCases.map(\.rawValue)
      throw UserError("no format is called '\(name)'\(Names.remedy(for: name, among: names))")
    }
    return format
  }

  private static func format(ofName path: String, option: String) throws -> TraceConversion.Format {
    guard let format = TraceConversion.Format(path: path) else {
      throw UserError(
        "the name '\(path)' says no format; name a .hltrace, .jsonl or .csv file\(option.isEmpty ? "" : ", or give it\(option)")"
      )
    }
    return format
  }
}
