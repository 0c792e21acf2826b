import Foundation

/// A command as heapbench's own help lists it.
struct ListedCommand: Hashable, Sendable {
  let name: String
  /// The options' names without dashes, each with whether it takes a value. `help` and `version` are left out.
  let options: [String: Bool]
  /// The number of arguments that are no options.
  let argumentCount: Int

  /// All commands that the help shows, without `help` itself.
  static func all() async throws -> [ListedCommand] {
    let outcome = try await HeapBenchProcess.run("--experimental-dump-help")
    let dump = try JSONDecoder().decode(Dump.self, from: Data(outcome.output.utf8))
    return (dump.command.subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" }.map { command in
      var options: [String: Bool] = [:]
      for argument in command.arguments ?? [] where argument.kind != "positional" {
        guard let name = argument.names?.last?.name, !["help", "version"].contains(name) else { continue }
        options[name] = argument.kind == "option"
      }
      return ListedCommand(
        name: command.commandName, options: options,
        argumentCount: (command.arguments ?? []).count { $0.kind == "positional" })
    }
  }

  private struct Dump: Decodable {
    struct Command: Decodable {
      let commandName: String
      let shouldDisplay: Bool
      let arguments: [Argument]?
      let subcommands: [Command]?
    }
    struct Argument: Decodable {
      struct Name: Decodable { let name: String }
      let kind: String
      let names: [Name]?
    }
    let command: Command
  }
}
