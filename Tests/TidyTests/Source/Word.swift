/// An identifier or keyword in code, and where it stands.
struct Word {
  let name: String
  /// Its bytes in the text.
  let range: Range<Int>
  /// The line, counted from 1.
  let line: Int
  /// Whether a dot precedes it, as in `queue.first` and `.relaxed`.
  let isMember: Bool
  /// Whether an `@` precedes it.
  let isAttribute: Bool

  /// The words of `bytes`, in order. Numbers are none, nor is `$0`.
  static func all(in bytes: [UInt8]) -> [Word] {
    var words: [Word] = []
    words.reserveCapacity(bytes.count / 8)
    var line = 1
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      guard ASCII.isWord(byte) else {
        if byte == ASCII.newline { line += 1 }
        index += 1
        continue
      }
      let start = index
      while index < bytes.count, ASCII.isWord(bytes[index]) { index += 1 }
      let before = start > 0 ? bytes[start - 1] : ASCII.space
      if ASCII.isDigit(byte) || before == ASCII.dollar { continue }
      words.append(
        Word(
          name: String(decoding: bytes[start..<index], as: UTF8.self), range: start..<index, line: line,
          isMember: before == ASCII.dot && !(start > 1 && bytes[start - 2] == ASCII.dot),
          isAttribute: before == ASCII.at))
    }
    return words
  }
}
