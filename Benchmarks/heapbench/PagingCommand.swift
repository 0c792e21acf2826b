import ArgumentParser
import Foundation
import HeapBenchKit

/// What page tables cost, and what large pages bring.
struct PagingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "paging",
    abstract: "Measures page tables: instructions for each page, and 4 KiB against 2 MiB pages.",
    discussion: """
      Mapping, unmapping and protecting a range, translating, and forking copy-on-write, in instructions (counted by \
      valgrind, where it is installed) and in time, beside a memset of the same bytes. Then five ways to touch memory, \
      under 4 KiB pages, under 2 MiB pages, and under the policy that chooses by touch density.
      """)

  func run() throws {
    let style = TerminalStyle.standardOutput
    let progress = ProgressLine(style: style)
    progress.begin(weights: [1])
    let report = try Interruptible.run { try await PagingReport { progress.show($0, share: $1) } }
    progress.end()
    print(report.text(style: style), terminator: "")
  }
}

/// One paging operation, once: what ``PagingCommand`` runs under valgrind.
struct PagingOperationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: PagingInstructionCount.subcommand, abstract: "Does one paging operation once.", shouldDisplay: false)

  @Argument(help: "The operation.") var operation: String

  func run() throws {
    guard let operation = PagingOperation(rawValue: operation) else {
      let names = PagingOperation.allCases.map(\.rawValue).joined(separator: ", ")
      throw UserError("no paging operation is called '\(operation)'; there are \(names)")
    }
    try PagingInstructionCount.perform(operation)
  }
}
