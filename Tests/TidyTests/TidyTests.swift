import Testing

/// Holds the tree itself to its rules. That each rule finds what it should is for the tests beside this one.
@Suite struct TidyTests {
  /// Every rule; a new one is a file and a line here.
  static let rules: [any TidyRule] = [
    FilesAreShort(),
    ImportsAreUsed(),
    ImportsPointDown(),
    MallocNamesStandOnce(),
    MemoryOrdersAreListed(),
    OrderingsArePaired(),
    ShimsAreCalled(),
    SoThatIsRare(),
    UnsafeIsExplained(),
  ]

  /// The offences that each rule finds in the tree, by its name: a seeded one is one more.
  static let found = Dictionary(
    uniqueKeysWithValues: rules.map { ($0.name, Set($0.offences(in: .repository).map(\.description))) })

  @Test(arguments: rules.map(\.name)) func theTreeKeepsTheRule(_ name: String) throws {
    let rule = try #require(Self.rules.first { $0.name == name })
    let offences = rule.offences(in: .repository)
    #expect(offences.isEmpty, "\(offences.map(\.description).sorted().joined(separator: "\n"))")
  }

  @Test func theTreeIsThere() {
    let tree = SourceTree.repository
    for path in ["Package.swift", "README.md", "Sources/MallocPreload/exports.map", "scripts/test", ".ci/run"] {
      #expect(tree[path] != nil, "\(path)")
    }
    #expect(!tree.files.contains { $0.path.hasPrefix("Sources/Embedded/") || $0.path.contains(".build") })
  }
}
