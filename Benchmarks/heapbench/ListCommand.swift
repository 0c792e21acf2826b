import ArgumentParser
import HeapBenchKit

/// Lists what a run can be made of.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists the policies, profiles and traces.")

  func run() throws {
    let style = TerminalStyle.standardOutput
    let catalog = try WorkloadCatalog.find()
    let names = PolicyCatalog.all.map(\.name) + catalog.sources.map(\.name)
    let width = (names.map(\.count).max() ?? 0) + 4
    print("POLICIES   --policy NAME")
    for policy in PolicyCatalog.all {
      let when = policy.isInMainJob ? "" : " (only when asked for)"
      print(style.entry(policy.name, policy.summary + when, nameWidth: width))
    }
    for kind in WorkloadSource.Kind.allCases {
      print("\n\(kind.folder.uppercased())   --\(kind.rawValue) NAME, from \(catalog.folder)/\(kind.folder)")
      for source in catalog.sources where source.kind == kind {
        print(style.entry(source.name, try source.summary(), nameWidth: width))
      }
    }
    print("\n'heapbench explain NAME' tells more about a profile, a trace or a policy.")
  }
}
