import Foundation
import Testing

/// Every command with every option: it does what the help says, or it is refused with status 2.
@Suite struct EveryOptionTests {
  @Test func everyOptionOfTheHelpHasAProof() async throws {
    for command in try await ListedCommand.all() {
      let proven = OptionProof.all.filter { $0.command == command.name }.flatMap { $0.options }
      #expect(Set(proven) == Set(command.options.keys), "\(command.name)")
    }
  }

  @Test(arguments: OptionProof.all) func anOptionDoesWhatItSays(_ proof: OptionProof) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try await proof.run(folder.path)
  }

  @Test func anOptionThatACommandLacksIsRefused() async throws {
    let commands = try await ListedCommand.all()
    let options = commands.reduce(into: [:]) { $0.merge($1.options) { $0 || $1 } }
    #expect(commands.count >= 9 && options.count >= 20)
    for command in commands {
      for (option, takesValue) in options where command.options[option] == nil {
        let names = [String](repeating: "web-server", count: command.argumentCount)
        let outcome = try await HeapBenchProcess.run(
          [command.name] + names + ["--\(option)"] + (takesValue ? ["/nonexistent/file"] : []))
        #expect(outcome.status == 2, "\(command.name) --\(option)")
        #expect(outcome.errors.hasPrefix("heapbench: Unknown option '--\(option)'"), "\(outcome.errors)")
        #expect(outcome.errors.hasSuffix("see 'heapbench \(command.name) --help'\n"), "\(outcome.errors)")
      }
    }
  }

  @Test func anOptionBeforeTheCommandIsRefused() async throws {
    let outcome = try await HeapBenchProcess.run("--json", "/nonexistent/g.json", "gate")
    #expect(outcome.status == 2)
    #expect(outcome.errors.hasPrefix("heapbench: Unexpected argument 'gate'"), "\(outcome.errors)")
  }

  @Test func everyCommandHasItsHelp() async throws {
    for command in try await ListedCommand.all() {
      let outcome = try await HeapBenchProcess.run(command.name, "--help")
      #expect(outcome.status == 0 && outcome.output.contains("USAGE: heapbench \(command.name)"))
      let manual = try await HeapBenchProcess.run("manual", command.name)
      #expect(manual.status == 0 && manual.output.hasPrefix(".TH HEAPBENCH-\(command.name.uppercased()) 1 "))
      for option in command.options.keys {
        #expect(outcome.output.contains("--\(option)"))
        #expect(manual.output.contains("\\fB\\-\\-\(option.replacing("-", with: "\\-"))\\fR"), "\(manual.output)")
      }
    }
    let root = try await HeapBenchProcess.run("manual")
    for command in try await ListedCommand.all() { #expect(root.output.contains("\n.B \(command.name)")) }
    #expect(try await HeapBenchProcess.run("manual", "gaet").errors.hasSuffix("; did you mean 'gate'?\n"))
  }
}
