import CLabDriver

/// Opens a file for reading; the result is negative when that fails.
func openFile(_ path: StaticString) -> Int32 {
  // SAFETY: the path is a C string.
  unsafe lab_file_open(cString(path))
}

/// A literal as a C string: its bytes end in a zero.
func cString(_ literal: StaticString) -> UnsafePointer<CChar> {
  // SAFETY: a literal's bytes live as long as the program; CChar has the layout of a byte.
  unsafe UnsafeRawPointer(literal.utf8Start).assumingMemoryBound(to: CChar.self)
}

/// Bytes of text that live as long as the process: an argument or a file's name.
@safe struct Text: BitwiseCopyable {
  private let base: UnsafePointer<UInt8>
  let count: Int

  /// - Safety: The bytes must stay unchanged until the process ends.
  @unsafe init(_ base: UnsafePointer<UInt8>, count: Int) {
    unsafe self.base = base
    self.count = count
  }

  // SAFETY: the callers keep the index below `count`.
  subscript(index: Int) -> UInt8 { unsafe base[index] }

  /// The text after `prefix`; nil when the text does not start with it.
  func suffix(after prefix: StaticString) -> Text? {
    let length = prefix.utf8CodeUnitCount
    guard count >= length else { return nil }
    // SAFETY: the index is below both counts, and the rest of the bytes lives as long as the whole.
    for index in 0..<length where unsafe self[index] != prefix.utf8Start[index] { return nil }
    return unsafe Text(base + length, count: count - length)
  }

  /// Whether the text ends with `suffix`.
  func hasSuffix(_ suffix: StaticString) -> Bool {
    let start = count - suffix.utf8CodeUnitCount
    guard start >= 0 else { return false }
    // SAFETY: `start` is inside the text, whose bytes live as long as the process.
    return unsafe Text(base + start, count: count - start) == suffix
  }

  /// The text after the last `/`, or the whole text without one.
  var lastComponent: Text {
    var start = count
    while start > 0, self[start - 1] != 0x2F { start -= 1 }
    // SAFETY: `start` is inside the text, whose bytes live as long as the process.
    return unsafe Text(base + start, count: count - start)
  }

  static func == (text: Text, literal: StaticString) -> Bool { text.suffix(after: literal)?.count == 0 }

  /// The decimal number that the text spells; nil unless it is at least 1 and has at most 18 digits.
  var positiveNumber: Int? {
    guard count > 0, count <= 18 else { return nil }
    var number = 0
    for index in 0..<count {
      guard (0x30...0x39).contains(self[index]) else { return nil }
      number = number * 10 + Int(self[index] - 0x30)
    }
    return number > 0 ? number : nil
  }

  /// The text as a C string; a zero must follow its bytes.
  // SAFETY: CChar has the layout of a byte.
  var cString: UnsafePointer<CChar> { unsafe UnsafeRawPointer(base).assumingMemoryBound(to: CChar.self) }
}
