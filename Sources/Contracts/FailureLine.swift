import CLabPlatform

/// One line of text in a fixed buffer on the stack: the last words of a process whose heap cannot be trusted.
struct FailureLine {
  private var bytes = InlineArray<256, UInt8>(repeating: 0)
  private var byteCount = 0

  /// Appends one byte; what does not fit is dropped, but the last byte is kept for the newline.
  private mutating func append(byte: UInt8) {
    if byteCount < bytes.count - 1 {
      bytes[byteCount] = byte
      byteCount += 1
    }
  }

  /// Appends a literal.
  mutating func append(_ text: StaticString) {
    // SAFETY: a StaticString's UTF-8 bytes live as long as the program.
    for index in 0..<text.utf8CodeUnitCount {
      append(byte: unsafe text.utf8Start[index])
    }
  }

  /// Appends a value in hexadecimal, without prefix and without leading zeros.
  mutating func append(hexadecimal value: UInt64) {
    let digitCount = max(1, (UInt64.bitWidth - value.leadingZeroBitCount + 3) / 4)
    for digit in (0..<digitCount).reversed() {
      let nibble = UInt8(truncatingIfNeeded: value >> (UInt64(digit) * 4)) & 0xF
      append(byte: nibble < 10 ? 0x30 + nibble : 0x61 + nibble - 10)
    }
  }

  /// Shows the line and ends the process.
  mutating func end() -> Never {
    bytes[byteCount] = 0x0A
    let length = CUnsignedLong(byteCount + 1)
    let span = bytes.span
    // SAFETY: the buffer outlives the call.
    unsafe span.withUnsafeBufferPointer { buffer in
      unsafe buffer.withMemoryRebound(to: CChar.self) { characters in
        unsafe lab_platform_fail(characters.baseAddress, length)
      }
    }
    fatalError("lab_platform_fail must not return")
  }
}
