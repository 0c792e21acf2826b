import Testing

@Suite struct SoThatIsRareTests {
  private let phrase = SoThatIsRare.phrase.joined(separator: " ")

  /// What is found when the tree has nothing but `texts`, each in a file of its own.
  private func found(_ texts: String...) -> [String] {
    let files = texts.enumerated().compactMap { index, text in
      SourceFile(path: "docs/text\(index).md", text: Array(text.utf8))
    }
    return SoThatIsRare().offences(in: SourceTree(files)).map(\.description)
  }

  @Test func oneMoreThanMayBeIsFound() {
    let most = SoThatIsRare.countMaximum
    let lines = String(repeating: "It is here \(phrase) it counts.\n", count: most - 2)
    #expect(found(lines, "\(phrase), \(phrase)") == [])
    #expect(
      found(lines, "\n\(phrase), \(phrase), \(phrase)") == [
        "docs/text0.md:1: '\(phrase)' stands \(most + 1) times in the tree, \(most - 2) of them here, "
          + "where at most \(most) may be."
      ])
  }

  @Test func itCountsAcrossTheLinesOfAComment() {
    let broken = SoThatIsRare.phrase.joined(separator: "\n  /// ")
    #expect(found(String(repeating: "  /// \(broken)\n", count: SoThatIsRare.countMaximum + 1)).count == 1)
    #expect(found(String(repeating: "# S\(phrase.dropFirst())\n", count: SoThatIsRare.countMaximum + 1)).count == 1)
  }

  @Test func otherWordsDoNotCount() {
    let others = SoThatIsRare.phrase.joined(separator: ", ") + " also \(phrase)s lib.\(phrase)\n"
    #expect(found(String(repeating: others, count: SoThatIsRare.countMaximum + 1)) == [])
  }

  @Test func anOffenceInTheTreeItselfIsFound() {
    let found = SoThatIsRare().offences { tree in
      tree.add("Sources/Seeded.swift", String(repeating: "// \(phrase)\n", count: SoThatIsRare.countMaximum + 1))
    }
    #expect(found.count == 1)
  }
}
