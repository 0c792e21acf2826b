import ArgumentParser
import CLabMalloc

/// Prints a manual page; scripts/package installs one for each command.
struct ManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual", abstract: "Prints the manual page of heapbench or of a command.", shouldDisplay: false)

  @Argument(help: "The command.") var command: String?

  func run() throws {
    let tree = try HelpTree()
    guard let page = ManualPage(command, of: tree, version: "heapbench \(HEAPLAB_VERSION)") else {
      let names = tree.command.shownCommands.map(\.commandName)
      throw UserError("no command is called '\(command ?? "")'\(Names.remedy(for: command ?? "", among: names))")
    }
    try StandardOutput.write(page.text)
  }
}
