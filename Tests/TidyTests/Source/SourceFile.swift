/// A text of the tree and what the rules ask about it. All of it is found once, when the file is made.
struct SourceFile: Sendable {
  /// From the root of the tree: `Sources/Addresses/Addr.swift`.
  let path: String
  let language: Language
  let text: [UInt8]
  /// The text without comments and the content of literals; see ``Masks``.
  let code: [UInt8]
  /// The text without all that is no comment.
  let comments: [UInt8]
  /// The words of the code, in order.
  let words: [Word]
  /// What the file imports; empty unless it is Swift.
  private(set) var imports: [Import] = []
  /// What the file declares for others; empty unless it is Swift.
  private(set) var declarations: [Declaration] = []
  /// The offset of each line's first byte.
  private let lineStarts: [Int]

  /// The file, or nil when its name says that no rule reads it; see ``Language``.
  init?(path: String, text: [UInt8]) {
    guard let language = Language(path: path) else { return nil }
    self.path = path
    self.language = language
    self.text = text
    let masks = Masks(text, in: language)
    code = masks.code
    comments = masks.comments
    words = language == .prose ? [] : Word.all(in: masks.code)
    var lineStarts = [0]
    for index in text.indices where text[index] == ASCII.newline && index + 1 < text.count {
      lineStarts.append(index + 1)
    }
    self.lineStarts = lineStarts
    if language == .swift {
      imports = findImports()
      declarations = DeclarationScanner.declarations(of: self)
    }
  }

  var lineCount: Int { text.isEmpty ? 0 : lineStarts.count }

  /// The bytes of a line, counted from 1, with its newline; lines that the file does not have are empty.
  func range(ofLine line: Int) -> Range<Int> {
    guard line >= 1, line <= lineStarts.count else { return 0..<0 }
    return lineStarts[line - 1]..<(line < lineStarts.count ? lineStarts[line] : text.count)
  }

  /// The line of the byte at `offset`, counted from 1.
  ///
  /// - Complexity: O(log n)
  func line(at offset: Int) -> Int {
    var (low, high) = (0, lineStarts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return low + 1
  }

  /// The comments on `lines` as one text, without comment marks and with single spaces.
  func comment(onLines lines: ClosedRange<Int>) -> String {
    var bytes: [UInt8] = []
    for line in lines {
      for byte in comments[range(ofLine: line)] where byte != ASCII.slash && byte != ASCII.star {
        let byte = ASCII.isBlank(byte) ? ASCII.space : byte
        if byte != ASCII.space || bytes.last != ASCII.space { bytes.append(byte) }
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The first byte of code at or after `offset` that is not blank, and where it stands.
  func firstCode(at offset: Int) -> (byte: UInt8, offset: Int)? {
    var offset = offset
    while offset < code.count {
      if !ASCII.isBlank(code[offset]) { return (code[offset], offset) }
      offset += 1
    }
    return nil
  }

  /// Whether nothing but blanks stands between two words of the code.
  func isDirectly(_ word: Word, before next: Word) -> Bool {
    firstCode(at: word.range.upperBound)?.offset == next.range.lowerBound
  }
}
