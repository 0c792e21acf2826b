/// An import of a Swift file.
struct Import {
  let module: String
  let line: Int
  /// Whether it shows what the module keeps to itself, too.
  let isTestable: Bool
  /// The words of the statement.
  let words: Range<Int>
}

extension SourceFile {
  /// Finds the imports of a Swift file, in order; `import struct Foundation.Data` imports Foundation.
  func findImports() -> [Import] {
    var imports: [Import] = []
    for (index, word) in words.enumerated() where word.name == "import" && !word.isMember && !word.isAttribute {
      var first = index
      while first > 0, words[first - 1].line == word.line { first -= 1 }
      let modifiers = words[first..<index]
      guard modifiers.allSatisfy({ $0.isAttribute || Self.accessLevels.contains($0.name) }), index + 1 < words.count
      else { continue }
      let hasKind = index + 2 < words.count && Self.importKinds.contains(words[index + 1].name)
      let module = words[index + (hasKind ? 2 : 1)]
      var end = index
      while end < words.count, words[end].line == word.line { end += 1 }
      imports.append(
        Import(
          module: module.name, line: word.line, isTestable: modifiers.contains { $0.name == "testable" },
          words: first..<end))
    }
    return imports
  }

  static var accessLevels: Set<String> { ["open", "public", "package", "internal", "fileprivate", "private"] }

  private static var importKinds: Set<String> {
    ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
  }
}
