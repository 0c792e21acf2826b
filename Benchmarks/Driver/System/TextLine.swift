import CLabDriver

/// One line of output, put together without allocating.
struct TextLine {
  private var bytes = InlineArray<1024, UInt8>(repeating: 0)
  private var byteCount = 0

  private mutating func append(byte: UInt8) {
    if byteCount < bytes.count {
      bytes[byteCount] = byte
      byteCount += 1
    }
  }

  mutating func append(_ text: StaticString) {
    // SAFETY: a literal's bytes live as long as the program.
    for index in 0..<text.utf8CodeUnitCount { append(byte: unsafe text.utf8Start[index]) }
  }

  mutating func append(_ text: Text) {
    for index in 0..<text.count { append(byte: text[index]) }
  }

  /// Appends text inside JSON's quotes: what would need an escape there becomes a question mark.
  mutating func append(quoted text: Text) {
    for index in 0..<text.count {
      let byte = text[index]
      append(byte: byte < 0x20 || byte == 0x22 || byte == 0x5C ? 0x3F : byte)
    }
  }

  mutating func append(_ number: Int) {
    if number < 0 { append("-") }
    var divisor: UInt = 1
    while number.magnitude / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      append(byte: 0x30 + UInt8(truncatingIfNeeded: number.magnitude / divisor % 10))
      divisor /= 10
    }
  }

  /// Appends `, "KEY": NUMBER`.
  mutating func append(key: StaticString, _ number: Int) {
    append(", \"")
    append(key)
    append("\": ")
    append(number)
  }

  /// Writes the line and its newline.
  mutating func write(to descriptor: Int32) {
    append("\n")
    var start = 0
    let count = byteCount
    // SAFETY: the span outlives the calls.
    unsafe bytes.span.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      while start < count {
        let written = unsafe CLabDriver.write(descriptor, base + start, count - start)
        guard written > 0 else { return }
        start += written
      }
    }
  }
}

/// Ends the process with `heapbench-driver: MESSAGE 'NAME'REST`.
func stop(_ message: StaticString, _ name: Text? = nil, _ rest: StaticString = "") -> Never {
  var line = TextLine()
  line.append("heapbench-driver: ")
  line.append(message)
  if let name {
    line.append(" '")
    line.append(name)
    line.append("'")
  }
  line.append(rest)
  line.write(to: STDERR_FILENO)
  exit(2)
}

/// Ends the process with `heapbench-driver: MESSAGE NUMBER UNIT`.
func stop(_ message: StaticString, number: Int, _ unit: StaticString) -> Never {
  var line = TextLine()
  line.append("heapbench-driver: ")
  line.append(message)
  line.append(" ")
  line.append(number)
  line.append(" ")
  line.append(unit)
  line.write(to: STDERR_FILENO)
  exit(2)
}
