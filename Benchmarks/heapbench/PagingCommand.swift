import ArgumentParser
import HeapBenchKit

/// Measures what page tables cost, and what large pages gain.
struct PagingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "paging",
    abstract: "Measures page tables: instructions for each page, and 4 KiB against 2 MiB pages.",
    discussion: """
      The first table has the cost of mapping, unmapping and protecting a range, of translating, and of forking \
      copy-on-write: in instructions (counted by valgrind, where it is installed) and in time, beside a memset of the \
      same bytes. The second has five ways to touch memory, each with 4 KiB pages, with 2 MiB pages, and with the \
      policy that chooses by touch density.
      """)

  @OptionGroup var figures: JSONOptions

  func run() throws {
    let style = TerminalStyle.standardOutput
    let results = try Results(json: figures.json)
    let progress = ProgressLine()
    progress.begin(weights: [1])
    let report = try Interruptible.run { try await PagingReport { progress.show($0, share: $1) } }
    progress.end()
    try results.show(report.text(style: style))
    try results.write(json: report.json())
  }
}

/// Runs one paging operation once: ``PagingCommand`` starts this under valgrind.
struct PagingOperationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: PagingInstructionCount.subcommand, abstract: "Runs one paging operation once.", shouldDisplay: false)

  @Argument(help: "The operation.") var operation: String

  func run() throws {
    guard let operation = PagingOperation(rawValue: operation) else {
      let names = PagingOperation.allCases.map(\.rawValue).joined(separator: ", ")
      throw UserError("no paging operation is called '\(operation)'; there are \(names)")
    }
    try PagingInstructionCount.perform(operation)
  }
}
