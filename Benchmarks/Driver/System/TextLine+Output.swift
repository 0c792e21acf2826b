import Assertions
import CLabDriver

extension TextLine {
  /// Appends a text's bytes.
  mutating func append(_ text: Text) {
    for index in 0..<text.count { append(byte: text[index]) }
  }

  /// Appends a text for use inside JSON's quotes. Each byte that would need an escape becomes a question mark.
  mutating func append(quoted text: Text) {
    for index in 0..<text.count {
      let byte = text[index]
      append(byte: byte < 0x20 || byte == 0x22 || byte == 0x5C ? 0x3F : byte)
    }
  }

  /// Appends `, "KEY": NUMBER`.
  mutating func append(key: StaticString, _ number: Int) {
    append(", \"")
    append(key)
    append("\": ")
    append(number)
  }

  /// Writes the line and a newline.
  consuming func write(to descriptor: Int32) {
    // SAFETY: each write reads from the line's own bytes, of which `byteCount - start` are left.
    unsafe end { bytes, byteCount in
      var start = 0
      while start < byteCount {
        let written = unsafe CLabDriver.write(descriptor, bytes + start, byteCount - start)
        guard written > 0 else { return }
        start += written
      }
    }
  }
}
