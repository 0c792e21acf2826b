/// A call in the manifest that makes a target: its name, and the string literals of its arguments by their labels.
struct ManifestCall {
  let name: String
  let line: Int
  private var literalsByLabel: [String: [String]] = [:]

  /// The string literals in the argument with a label, nil for the one without, in order. The packages that
  /// `.product(name:package:)` names are left out.
  func literals(of label: String?) -> [String] { literalsByLabel[label ?? ""] ?? [] }

  /// The calls in a file that are part of no other, in order.
  static func all(in file: SourceFile) -> [ManifestCall] {
    var calls: [ManifestCall] = []
    var end = 0
    for word in file.words where word.range.lowerBound >= end && callees.contains(word.name) {
      guard file.byte(after: word) == ASCII.openParenthesis else { continue }
      var call = ManifestCall(name: word.name, line: word.line)
      end = call.readArguments(from: word.range.upperBound, of: file)
      calls.append(call)
    }
    return calls
  }

  private static let callees: Set<String> = ["CoreModule", "target", "executableTarget"]

  private init(name: String, line: Int) {
    self.name = name
    self.line = line
  }

  /// Reads the arguments between the parenthesis at `start` and its counterpart, and returns where they end.
  private mutating func readArguments(from start: Int, of file: SourceFile) -> Int {
    var depth = 0
    // The label of the argument of this call, and the last label however deep.
    var label = ""
    var innerLabel = ""
    var index = start
    while index < file.code.count {
      let byte = file.code[index]
      index += 1
      switch byte {
      case ASCII.openParenthesis, ASCII.openBracket, ASCII.openBrace: depth += 1
      case ASCII.closeParenthesis, ASCII.closeBracket, ASCII.closeBrace:
        depth -= 1
        innerLabel = ""
        if depth == 0 { return index }
      case ASCII.comma:
        innerLabel = ""
        if depth == 1 { label = "" }
      case ASCII.colon:
        innerLabel = file.word(before: index - 1)
        if depth == 1 { label = innerLabel }
      case ASCII.quote:
        let end = file.code[index...].firstIndex(of: ASCII.quote) ?? file.code.count
        if innerLabel != "package" {
          literalsByLabel[label, default: []].append(String(decoding: file.text[index..<end], as: UTF8.self))
        }
        index = end + 1
      default: break
      }
    }
    return index
  }
}

extension SourceFile {
  /// The byte directly behind a word; a space at the end of the text.
  func byte(after word: Word) -> UInt8 {
    word.range.upperBound < code.count ? code[word.range.upperBound] : ASCII.space
  }

  /// The word that ends at `offset`, empty when none does.
  fileprivate func word(before offset: Int) -> String {
    var start = offset
    while start > 0, ASCII.isWord(code[start - 1]) { start -= 1 }
    return String(decoding: code[start..<offset], as: UTF8.self)
  }
}
