extension TidyRule {
  /// What the rule finds when `change` was made to a copy of the tree and not in the tree itself, sorted.
  func offences(after change: (inout SourceTree) -> Void) -> [String] {
    var tree = SourceTree.repository
    change(&tree)
    let before = TidyTests.found[name] ?? []
    return offences(in: tree).map(\.description).filter { !before.contains($0) }.sorted()
  }
}

extension SourceTree {
  /// Adds a file of the module Seeded, which the manifest's list begins with; `declared` is the rest of its entry.
  mutating func seedLowestModule(_ text: String, declared: String = "") {
    replace("let coreModules = [", by: "let coreModules = [CoreModule(\"Seeded\"\(declared)),", in: Manifest.path)
    add("Sources/Seeded/Seeded.swift", text)
  }
}
