/// One line of text, built in a fixed buffer on the stack, for code that must not allocate.
///
/// Text that does not fit is silently dropped. The last byte is reserved for the newline.
public struct TextLine {
  private var bytes = InlineArray<1024, UInt8>(repeating: 0)
  private var byteCount = 0

  /// The length of the longest line in bytes, newline included.
  public static var byteMaximum: Int { 1024 }

  /// An empty line.
  public init() {}

  /// Appends one byte.
  public mutating func append(byte: UInt8) {
    if byteCount < TextLine.byteMaximum - 1 {
      bytes[byteCount] = byte
      byteCount += 1
    }
  }

  /// Appends a literal.
  public mutating func append(_ text: StaticString) {
    // SAFETY: a StaticString's UTF-8 bytes live as long as the program.
    for index in 0..<text.utf8CodeUnitCount { append(byte: unsafe text.utf8Start[index]) }
  }

  /// Appends a number in decimal.
  public mutating func append(_ number: Int) {
    if number < 0 { append("-") }
    var divisor: UInt = 1
    while number.magnitude / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      append(byte: 0x30 + UInt8(truncatingIfNeeded: number.magnitude / divisor % 10))
      divisor /= 10
    }
  }

  /// Appends a value in hexadecimal, without a prefix or leading zeros.
  public mutating func append(hexadecimal value: UInt64) {
    let digitCount = max(1, (UInt64.bitWidth - value.leadingZeroBitCount + 3) / 4)
    for digit in (0..<digitCount).reversed() {
      let nibble = UInt8(truncatingIfNeeded: value >> (UInt64(digit) * 4)) & 0xF
      append(byte: nibble < 10 ? 0x30 + nibble : 0x61 + nibble - 10)
    }
  }

  /// Ends the line with a newline and passes its bytes to `body`.
  ///
  /// - Safety: The pointer is valid only while `body` runs; the count is in bytes and at least 1.
  public consuming func end<Result>(_ body: (UnsafePointer<CChar>, Int) -> Result) -> Result {
    bytes[byteCount] = 0x0A
    let count = byteCount + 1
    // SAFETY: the buffer outlives the call and is not empty.
    return unsafe bytes.span.withUnsafeBufferPointer { buffer in
      unsafe buffer.withMemoryRebound(to: CChar.self) { unsafe body($0.baseAddress.unsafelyUnwrapped, count) }
    }
  }
}
