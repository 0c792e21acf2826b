/// The functions that a C or assembler text declares or defines, and the names that it uses.
struct CFunctions {
  /// The functions that the text declares or defines, with the line of the first time.
  private(set) var declared: [String: Int] = [:]
  /// The words of the text that are no declaration: calls, and whatever else they name. The name of a function in its
  /// own body is not among them.
  private(set) var used: Set<String> = []

  init(_ file: SourceFile) {
    if file.path.hasSuffix(".S") || file.path.hasSuffix(".s") {
      readAssembler(file)
    } else {
      readC(file)
    }
  }

  /// C: at the outermost level, a word before a parenthesis is a function that is declared, unless it stands in a
  /// directive of the preprocessor; everything deeper is use. The braces of `extern "C" { }` are no level.
  private mutating func readC(_ file: SourceFile) {
    var depth = 0
    var parenthesisDepth = 0
    var function = ""
    var end = 0
    for word in file.words {
      for offset in end..<word.range.lowerBound {
        switch file.code[offset] {
        case ASCII.openBrace:
          let isLinkage = depth == 0 && file.lastCode(before: offset) == ASCII.quote
          depth += isLinkage ? 0 : 1
        case ASCII.closeBrace:
          depth = max(0, depth - 1)
          if depth == 0 { function = "" }
        case ASCII.semicolon where depth == 0 && parenthesisDepth == 0: function = ""
        case ASCII.openParenthesis: parenthesisDepth += 1
        case ASCII.closeParenthesis: parenthesisDepth -= 1
        default: break
        }
      }
      end = word.range.upperBound
      let isOutermost = depth == 0 && parenthesisDepth == 0 && !file.isDirective(atLine: word.line)
      if isOutermost && function.isEmpty && file.firstCode(at: end)?.byte == ASCII.openParenthesis
        && !Self.keywords.contains(word.name)
      {
        function = word.name
        if declared[function] == nil { declared[function] = word.line }
      } else if word.name != function {
        used.insert(word.name)
      }
    }
  }

  private static let keywords: Set<String> = ["__attribute__", "__asm__", "asm", "_Static_assert", "_Alignas"]

  /// The assembler: a directive that announces a name, and the label itself, are no use.
  private mutating func readAssembler(_ file: SourceFile) {
    for (index, word) in file.words.enumerated() {
      let isLabel = file.byte(after: word) == ASCII.colon
      let isAnnounced = index > 0 && file.words[index - 1].isMember && file.words[index - 1].line == word.line
      if !isLabel && !isAnnounced { used.insert(word.name) }
    }
  }
}

extension SourceFile {
  /// The last byte of code before `offset` that is not blank; a space when there is none.
  func lastCode(before offset: Int) -> UInt8 {
    code[..<offset].last { !ASCII.isBlank($0) } ?? ASCII.space
  }

  /// Whether a line belongs to a directive of the C preprocessor, which may go on behind a backslash.
  fileprivate func isDirective(atLine line: Int) -> Bool {
    var line = line
    while line > 1, code[range(ofLine: line - 1)].last(where: { !ASCII.isBlank($0) }) == ASCII.backslash { line -= 1 }
    return code[range(ofLine: line)].first(where: { !ASCII.isBlank($0) }) == ASCII.pound
  }
}
