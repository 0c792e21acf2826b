/// Wherever Swift code says `unsafe`, a reader finds at a glance why it holds: `SAFETY:` stands in a comment on the
/// line, within the five lines above it, or within the five lines above the run of such lines that it belongs to. The
/// compiler sees to it that no unsafe expression lacks the word; this rule, that no word lacks its reason. In a
/// function or accessor that is marked `@unsafe` and documented with `- Safety:`, the caller's promise is the reason.
/// Tests are free.
struct UnsafeIsExplained: TidyRule {
  /// How far above a line its reason may stand.
  static let reach = 5

  func offences(in tree: SourceTree) -> [Offence] {
    tree.files(in: "Sources", "Benchmarks").flatMap { file in
      let promised = file.linesOfUnsafeBodies
      var lines: [Int] = []
      for word in file.words where word.name == "unsafe" && !word.isAttribute && lines.last != word.line {
        lines.append(word.line)
      }
      var runStart = 0
      var last = 0
      return lines.compactMap { line -> Offence? in
        if line != last + 1 { runStart = line }
        last = line
        let isExplained =
          file.comment(onLines: runStart - Self.reach...runStart).contains("SAFETY:")
          || file.comment(onLines: line - Self.reach...line).contains("SAFETY:")
        return isExplained || promised.contains(line)
          ? nil : Offence(file.path, line, "Nothing near by says why this is safe (`// SAFETY: …`).")
      }
    }
  }
}

extension SourceFile {
  /// The lines of functions and accessors that are marked `@unsafe` and say in `- Safety:` what the caller promises.
  fileprivate var linesOfUnsafeBodies: Set<Int> {
    var lines: Set<Int> = []
    for (index, word) in words.enumerated() where word.name == "unsafe" && word.isAttribute {
      guard documentation(above: word.line).contains("- Safety:"), let body = body(ofDeclarationAt: index) else {
        continue
      }
      lines.formUnion(body)
    }
    return lines
  }

  /// The comment above a declaration, attributes on lines of their own included.
  private func documentation(above line: Int) -> String {
    var first = line
    while first > 1 {
      let range = range(ofLine: first - 1)
      let isAttribute = code[range].first { !ASCII.isBlank($0) } == ASCII.at
      let isComment =
        !isAttribute && code[range].allSatisfy(ASCII.isBlank) && !comments[range].allSatisfy(ASCII.isBlank)
      guard isAttribute || isComment else { break }
      first -= 1
    }
    return comment(onLines: first...line)
  }

  /// The lines between the braces of the function or accessor whose attributes and keyword begin at the word `index`;
  /// nil when it has none, as a protocol's requirement, or is a type.
  private func body(ofDeclarationAt index: Int) -> ClosedRange<Int>? {
    guard let keyword = words[index...].first(where: { Self.declaring.contains($0.name) && !$0.isMember }),
      !Self.declaringTypes.contains(keyword.name)
    else { return nil }
    let next = words.first {
      $0.range.lowerBound > keyword.range.lowerBound && Self.declaring.contains($0.name) && !$0.isMember
    }
    // Braces in parentheses belong to the arguments, as those of a closure that is a default.
    var parenthesisDepth = 0
    var depth = 0
    var first = 0
    for offset in keyword.range.upperBound..<code.count {
      switch code[offset] {
      case ASCII.openParenthesis: parenthesisDepth += 1
      case ASCII.closeParenthesis: parenthesisDepth -= 1
      case ASCII.openBrace where parenthesisDepth == 0:
        if depth == 0 {
          if let next, next.range.lowerBound < offset { return nil }
          first = line(at: offset)
        }
        depth += 1
      case ASCII.closeBrace where parenthesisDepth == 0:
        depth -= 1
        if depth <= 0 { return depth == 0 ? first...line(at: offset) : nil }
      default: break
      }
    }
    return nil
  }

  private static let declaringTypes: Set<String> = ["class", "enum", "extension", "protocol", "struct"]
  private static let declaring: Set<String> = declaringTypes.union(
    ["deinit", "func", "init", "let", "subscript", "typealias", "var"])
}
