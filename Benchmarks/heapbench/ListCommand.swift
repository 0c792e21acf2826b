import ArgumentParser
import HeapBenchKit

/// Lists what a run can be made of.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists the policies, profiles and traces.")

  @OptionGroup var figures: JSONOptions

  func run() throws {
    let style = TerminalStyle.standardOutput
    let results = try Results(json: figures.json)
    let list = try WorkloadList(WorkloadCatalog.find())
    try results.show(list.text(style: style))
    try results.write(json: list.json())
  }
}
