// The bytes of a header, all numbers little-endian:
//
//   0 kind | 1 encoding | 2 zero | 4 thread | 8 stored bytes | 12 content bytes | 16 first call | 24 first object
//   32 nanoseconds | 40 checksum of the stored content | 48 checksum of the bytes 0 ..< 48

extension TraceBlock {
  /// The format's version in `bytes`, which is 1 or 2.
  ///
  /// - Throws: ``TraceError/Finding/badMagic`` for other files, ``TraceError/Finding/newerVersion(_:)`` for a trace of
  ///   a version above 2, and ``TraceError/Finding/truncatedHeader``.
  public static func version(of bytes: Span<UInt8>) throws(TraceError) -> Int {
    for index in 0..<min(bytes.count, magicByteCount - 1) where bytes[index] != magicByte(index) {
      throw TraceError(.badMagic, at: index)
    }
    guard bytes.count >= magicByteCount else { throw TraceError(.truncatedHeader, at: bytes.count) }
    switch bytes[magicByteCount - 1] {
    case 0x31: return 1
    case 0x32: return 2
    case let digit where (0x33...0x39).contains(digit): throw TraceError(.newerVersion(digit - 0x30), at: 7)
    default: throw TraceError(.badMagic, at: magicByteCount - 1)
    }
  }

  /// Appends the magic of a trace of version 2 to `output`, which must have eight bytes free.
  public static func encodeMagic(into output: inout OutputSpan<UInt8>) {
    for index in 0..<magicByteCount { output.append(magicByte(index)) }
  }

  private static func magicByte(_ index: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: 0x3245_4341_5254_4C48 >> (8 * UInt64(index)))
  }

  /// Appends the header to `output`, which must have ``headerByteCount`` bytes free.
  public func encode(into output: inout OutputSpan<UInt8>) {
    var header = InlineArray<56, UInt8>(repeating: 0)
    header[0] = kind.rawValue
    header[1] = encoding.rawValue
    Self.store(UInt64(thread), 4, into: &header, at: 4)
    Self.store(UInt64(storedByteCount), 4, into: &header, at: 8)
    Self.store(UInt64(contentByteCount), 4, into: &header, at: 12)
    Self.store(firstCall, 8, into: &header, at: 16)
    Self.store(firstObject, 8, into: &header, at: 24)
    Self.store(nanoseconds, 8, into: &header, at: 32)
    Self.store(checksum, 8, into: &header, at: 40)
    Self.store(TraceChecksum.of(header.span.extracting(first: 48)), 8, into: &header, at: 48)
    for index in 0..<Self.headerByteCount { output.append(header[index]) }
  }

  /// The header at `offset` of `bytes`, and the place of its stored content, which is checked.
  ///
  /// - Parameters:
  ///   - bytes: A whole trace, or its start.
  ///   - offset: The start of a block. Traps past the end of `bytes`.
  /// - Returns: The header, and the range of the stored content.
  /// - Throws: ``TraceError`` with the place of the block, or the end of the bytes when they end within the block.
  /// - Complexity: O(*n*) for *n* bytes of content.
  public static func decode(
    _ bytes: Span<UInt8>, at offset: Int
  ) throws(TraceError) -> (block: TraceBlock, stored: Range<Int>) {
    guard bytes.count - offset >= headerByteCount else { throw TraceError(.truncatedBlock, at: bytes.count) }
    let header = bytes.extracting(offset..<offset + headerByteCount)
    guard TraceChecksum.of(header.extracting(first: 48)) == number(8, in: header, at: 48) else {
      throw TraceError(.damagedHeader, at: offset)
    }
    let stored = UInt32(truncatingIfNeeded: number(4, in: header, at: 8))
    let content = UInt32(truncatingIfNeeded: number(4, in: header, at: 12))
    guard max(stored, content) <= UInt32(contentByteCountMax) else {
      throw TraceError(.oversizedBlock(byteCount: UInt64(max(stored, content))), at: offset)
    }
    guard let encoding = Encoding(rawValue: header[1]) else {
      throw TraceError(.unknownEncoding(header[1]), at: offset)
    }
    let start = offset + headerByteCount
    guard bytes.count - start >= Int(stored) else { throw TraceError(.truncatedBlock, at: bytes.count) }
    let range = start..<start + Int(stored)
    let block = TraceBlock(
      kind: TraceBlockKind(rawValue: header[0]), encoding: encoding,
      thread: UInt32(truncatingIfNeeded: number(4, in: header, at: 4)), storedByteCount: stored,
      contentByteCount: content, firstCall: number(8, in: header, at: 16), firstObject: number(8, in: header, at: 24),
      nanoseconds: number(8, in: header, at: 32), checksum: number(8, in: header, at: 40))
    guard TraceChecksum.of(bytes.extracting(range)) == block.checksum else {
      throw TraceError(.damagedContent(kind: header[0]), at: offset)
    }
    return (block, range)
  }

  private init(
    kind: TraceBlockKind, encoding: Encoding, thread: UInt32, storedByteCount: UInt32, contentByteCount: UInt32,
    firstCall: UInt64, firstObject: UInt64, nanoseconds: UInt64, checksum: UInt64
  ) {
    self.kind = kind
    self.encoding = encoding
    self.thread = thread
    self.storedByteCount = storedByteCount
    self.contentByteCount = contentByteCount
    self.firstCall = firstCall
    self.firstObject = firstObject
    self.nanoseconds = nanoseconds
    self.checksum = checksum
  }

  private static func store(
    _ number: UInt64, _ byteCount: Int, into header: inout InlineArray<56, UInt8>, at start: Int
  ) {
    for index in 0..<byteCount { header[start + index] = UInt8(truncatingIfNeeded: number >> (8 * UInt64(index))) }
  }

  private static func number(_ byteCount: Int, in header: Span<UInt8>, at start: Int) -> UInt64 {
    var number: UInt64 = 0
    for index in 0..<byteCount { number |= UInt64(header[start + index]) << (8 * UInt64(index)) }
    return number
  }
}
