import Foundation
import LabTestSupport
import Testing

@testable import ProcessHeap

/// Which names of variables give a line, as a process of its own reads them from its environment.
@Suite("Setting names")
struct SettingNameTests {
  /// The lines for an environment with these variables of the project's and no others.
  private static func lines(
    for names: [String], _ location: SourceLocation = #_sourceLocation
  ) async -> [String] {
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardErrorContent], sourceLocation: location
    ) { [names] in
      for name in ProcessInfo.processInfo.environment.keys where name.hasPrefix("HEAPLAB_") { unsetenv(name) }
      for name in names { setenv(name, "1", 1) }
      #expect(SettingName.check() == !names.isEmpty)
    }
    return text(of: result).split(separator: "\n").map(String.init).filter { $0.hasPrefix("heaplab: ") }
  }

  private static func line(_ name: String, _ nearest: String) -> String {
    "heaplab: HEAPLAB_\(name) is no variable of heaplab; the nearest is HEAPLAB_\(nearest)"
  }

  @Test("No variable of the project's, no line") func none() async { #expect(await Self.lines(for: []) == []) }

  @Test(
    "A misspelt name gives a line with the nearest known one",
    arguments: [
      ("LIMT", "LIMIT"), ("LIMITS", "LIMIT"), ("PURGE-DELAY", "PURGE_DELAY"), ("PURGEDELAY", "PURGE_DELAY"),
      ("limit", "LIMIT"), ("RECORD_STACK", "RECORD_STACKS"), ("TELEMETRI", "TELEMETRY"), ("POLCIY", "POLICY"),
      ("", "PIN"),
    ])
  func misspelt(name: String, nearest: String) async {
    #expect(await Self.lines(for: ["HEAPLAB_" + name]) == [Self.line(name, nearest)])
  }

  @Test("Every name in the tree is known") func knowsTree() async {
    // C's macros, and the misspelt name of the comments and tests.
    let others: Set = [
      "VERSION", "TELEMETRY_VERSION", "TELEMETRY_WORD_MAXIMUM", "HEAP", "HEAP_PIN", "HEAP_THP", "HEAP_NODE", "LIMT",
    ]
    var known: Set<String> = []
    let names = SettingName.known
    for index in names.indices { known.insert("\(names[index])") }
    var found: Set<String> = []
    let repository = URL(filePath: "\(#filePath)/../../..").standardizedFileURL
    for folder in ["Sources", "CShims", "Benchmarks", "Tests/FirstFitHeapTests", "Tests/PageTablesTests", "scripts"] {
      let root = repository.appending(path: folder)
      for case let file as URL in FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)! {
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { continue }
        for match in text.matches(of: #/\bHEAPLAB_([A-Z_]*[A-Z])/#) { found.insert(String(match.1)) }
      }
    }
    #expect(found.subtracting(others) == known)
    #expect(await Self.lines(for: known.map { "HEAPLAB_" + $0 }) == [])
  }

  @Test("A long name is cut, and what no terminal prints is replaced")
  func unprintable() async {
    let long = String(repeating: "X", count: 5000)
    let shown = String(repeating: "X", count: SettingName.byteMaximum)
    #expect(await Self.lines(for: ["HEAPLAB_" + long]).map { $0.contains(" HEAPLAB_\(shown) ") } == [true])
    #expect(await Self.lines(for: ["HEAPLAB_LIMI\u{1b}"]) == [Self.line("LIMI?", "LIMIT")])
  }

  @Test("At most eight names give a line")
  func many() async {
    #expect(await Self.lines(for: (0..<100).map { "HEAPLAB_LIMIT\($0)" }).count == SettingName.warningMaximum)
  }
}
