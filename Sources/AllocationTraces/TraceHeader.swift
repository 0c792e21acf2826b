/// The start of a trace: the eight bytes `HLTRACE1`, a 32-bit little-endian byte count, and that many bytes of JSON.
///
/// The JSON text names the program and holds the counts that a reader checks its result against. The core does not read
/// the text; the header only says where it is.
@frozen
public struct TraceHeader: Hashable, Sendable {
  /// The length of the magic and the text's byte count, in bytes.
  @inlinable public static var prefixByteCount: Int { 12 }

  /// `HLTRACE1` as a little-endian number.
  @inlinable static var magic: UInt64 { 0x3145_4341_5254_4C48 }

  /// The bytes of the JSON text.
  public let text: Range<Int>

  /// The start of the first event.
  @inlinable public var eventsStart: Int { text.upperBound }

  /// Reads the header at the start of `bytes`.
  ///
  /// - Throws: ``TraceError/Finding/badMagic`` when the existing bytes, however few, differ from the magic;
  ///   ``TraceError/Finding/truncatedHeader`` when they end too early.
  /// - Complexity: O(1).
  public init(decoding bytes: Span<UInt8>) throws(TraceError) {
    for index in 0..<min(bytes.count, 8)
    where bytes[index] != UInt8(truncatingIfNeeded: Self.magic >> (8 * UInt64(index))) {
      throw TraceError(.badMagic, at: index)
    }
    guard bytes.count >= Self.prefixByteCount else { throw TraceError(.truncatedHeader, at: bytes.count) }
    var textByteCount = 0
    for index in 0..<4 {
      textByteCount |= Int(bytes[8 + index]) << (8 * index)
    }
    guard textByteCount <= bytes.count - Self.prefixByteCount else {
      throw TraceError(.truncatedHeader, at: bytes.count)
    }
    text = Self.prefixByteCount..<Self.prefixByteCount + textByteCount
  }

  /// Appends a header with `text` to `output`.
  ///
  /// - Returns: Whether it fitted; if not, nothing was written. A text of 4 GiB or more never fits.
  public static func encode(text: Span<UInt8>, into output: inout OutputSpan<UInt8>) -> Bool {
    guard text.count <= Int(UInt32.max), output.freeCapacity >= prefixByteCount + text.count else { return false }
    for index in 0..<8 {
      output.append(UInt8(truncatingIfNeeded: magic >> (8 * UInt64(index))))
    }
    for index in 0..<4 {
      output.append(UInt8(truncatingIfNeeded: text.count >> (8 * index)))
    }
    for index in 0..<text.count {
      output.append(text[index])
    }
    return true
  }
}
