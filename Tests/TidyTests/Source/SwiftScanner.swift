/// Finds the comments and literals of Swift source: nested comments, raw and multi-line strings, and the code inside
/// interpolations, which stays code. Regular expressions between slashes are not known.
struct SwiftScanner {
  private let text: [UInt8]
  private var index = 0

  init(_ text: [UInt8]) { self.text = text }

  mutating func scan(into masks: inout Masks) { scanCode(isInterpolation: false, &masks) }

  /// Scans to the end of the text, or to the parenthesis that closes an interpolation.
  private mutating func scanCode(isInterpolation: Bool, _ masks: inout Masks) {
    var depth = 0
    while index < text.count {
      let byte = text[index]
      if ASCII.isWord(byte) || byte == ASCII.space {
        index += 1
      } else if byte == ASCII.slash {
        scanSlash(&masks)
      } else if byte == ASCII.quote || byte == ASCII.pound {
        scanQuote(&masks)
      } else {
        if byte == ASCII.openParenthesis { depth += 1 }
        if byte == ASCII.closeParenthesis {
          if isInterpolation && depth == 0 { return }
          depth -= 1
        }
        index += 1
      }
    }
  }

  /// A comment, or a slash alone.
  private mutating func scanSlash(_ masks: inout Masks) {
    let start = index
    index += 1
    if starts(with: ASCII.slash) {
      while index < text.count, text[index] != ASCII.newline { index += 1 }
    } else if starts(with: ASCII.star) {
      var depth = 1
      index += 1
      while index < text.count, depth > 0 {
        let byte = text[index]
        index += 1
        if byte == ASCII.star, starts(with: ASCII.slash) {
          depth -= 1
          index += 1
        } else if byte == ASCII.slash, starts(with: ASCII.star) {
          depth += 1
          index += 1
        }
      }
    } else {
      return
    }
    masks.setComment(start..<index)
  }

  /// A string literal, or a `#` that starts none.
  private mutating func scanQuote(_ masks: inout Masks) {
    var poundCount = 0
    while starts(with: ASCII.pound) {
      poundCount += 1
      index += 1
    }
    guard starts(with: ASCII.quote) else { return }
    let quoteCount = starts(with: ASCII.quote, count: 3) ? 3 : 1
    index += quoteCount
    var start = index
    while index < text.count {
      if starts(with: ASCII.quote, count: quoteCount), starts(with: ASCII.pound, count: poundCount, after: quoteCount) {
        break
      } else if text[index] == ASCII.newline && quoteCount == 1 {
        break
      } else if starts(with: ASCII.backslash), starts(with: ASCII.pound, count: poundCount, after: 1) {
        index = min(index + 1 + poundCount, text.count)
        if starts(with: ASCII.openParenthesis) {
          masks.setLiteral(start..<index)
          index += 1
          scanCode(isInterpolation: true, &masks)
          index = min(index + 1, text.count)
          start = index
        } else {
          index += 1
        }
      } else {
        index += 1
      }
    }
    index = min(index, text.count)
    masks.setLiteral(start..<index)
    if starts(with: ASCII.quote) { index += quoteCount + poundCount }
  }

  /// Whether `count` times `byte` stand `distance` bytes further on.
  private func starts(with byte: UInt8, count: Int = 1, after distance: Int = 0) -> Bool {
    for position in index + distance..<index + distance + count {
      guard position < text.count, text[position] == byte else { return false }
    }
    return true
  }
}
