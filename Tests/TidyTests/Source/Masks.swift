/// A text taken apart: what is code, and what is comment.
///
/// Each part is as long as the text, with spaces where the other part stands, and has the text's newlines: offsets and
/// lines mean the same in all three. The content of a string literal is in neither part; its quotes are code.
struct Masks {
  private(set) var code: [UInt8]
  private(set) var comments: [UInt8]

  /// Takes `text` for code, until told otherwise.
  private init(allCode text: [UInt8]) {
    code = text
    comments = text.map { $0 == ASCII.newline ? $0 : ASCII.space }
  }

  /// Takes `text` apart by the rules of its language.
  ///
  /// - Complexity: O(n), as is all that is done to a text once.
  init(_ text: [UInt8], in language: Language) {
    self.init(allCode: text)
    switch language {
    case .swift:
      var scanner = SwiftScanner(text)
      scanner.scan(into: &self)
    case .c: scanC(text)
    case .shell: scanShell(text)
    case .prose: break
    }
  }

  /// Makes `range` of the text a comment.
  mutating func setComment(_ range: Range<Int>) {
    for index in range where code[index] != ASCII.newline {
      comments[index] = code[index]
      code[index] = ASCII.space
    }
  }

  /// Makes `range` of the text the content of a literal.
  mutating func setLiteral(_ range: Range<Int>) {
    for index in range where code[index] != ASCII.newline { code[index] = ASCII.space }
  }

  /// C, C++, the assembler behind the C preprocessor, and linker scripts. A literal ends with its line.
  private mutating func scanC(_ text: [UInt8]) {
    var index = 0
    while index < text.count {
      let byte = text[index]
      let start = index
      index += 1
      if byte == ASCII.slash, index < text.count, text[index] == ASCII.slash {
        while index < text.count, text[index] != ASCII.newline { index += 1 }
        setComment(start..<index)
      } else if byte == ASCII.slash, index < text.count, text[index] == ASCII.star {
        index += 1
        while index < text.count, !(text[index] == ASCII.slash && text[index - 1] == ASCII.star && index > start + 2) {
          index += 1
        }
        index = min(index + 1, text.count)
        setComment(start..<index)
      } else if byte == ASCII.quote || byte == ASCII.apostrophe {
        while index < text.count, text[index] != byte, text[index] != ASCII.newline {
          index += text[index] == ASCII.backslash ? 2 : 1
        }
        index = min(index, text.count)
        setLiteral(start + 1..<index)
        index += 1
      }
    }
  }

  /// Scripts: only a line that starts with `#` is a comment, and literals are code, since a script's words are strings.
  private mutating func scanShell(_ text: [UInt8]) {
    var start = 0
    while start < text.count {
      let end = text[start...].firstIndex(of: ASCII.newline) ?? text.count
      if text[start..<end].first(where: { !ASCII.isBlank($0) }) == ASCII.pound { setComment(start..<end) }
      start = end + 1
    }
  }
}
