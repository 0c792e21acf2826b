import ArgumentParser
import Foundation

/// The help of all commands as data: what the parser prints for `--experimental-dump-help`.
struct HelpTree: Decodable {
  /// A command with its options.
  struct Command: Decodable, Equatable {
    let commandName: String
    let abstract: String?
    let discussion: String?
    let defaultSubcommand: String?
    let shouldDisplay: Bool
    let subcommands: [Command]?
    let arguments: [Argument]?

    /// The commands below that the help shows, without `help` itself.
    var shownCommands: [Command] { (subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" } }

    /// The options and arguments that the help shows.
    var shownArguments: [Argument] { (arguments ?? []).filter(\.shouldDisplay) }
  }

  /// An option, a flag or an argument without a name.
  struct Argument: Decodable, Equatable {
    struct Name: Decodable, Equatable {
      let kind: String
      let name: String
    }
    let kind: String
    let names: [Name]?
    let valueName: String?
    let abstract: String?
    let defaultValue: String?
    let isRepeating: Bool
    let shouldDisplay: Bool
  }

  /// heapbench itself.
  let command: Command

  /// The help of this program.
  init() throws {
    self = try JSONDecoder().decode(HelpTree.self, from: Data(HeapBench._dumpHelp().utf8))
  }
}
