import AllocationTraces
import LabTestSupport
import Testing

@Suite struct TraceBlockTests {
  /// A trace of version 2 with one block of this content.
  static func trace(_ content: [UInt8], kind: TraceBlockKind = .events) -> [UInt8] {
    [UInt8](capacity: 64 + content.count) { output in
      TraceBlock.encodeMagic(into: &output)
      TraceBlock(kind, thread: 7, firstCall: 1, firstObject: 2, nanoseconds: 3, content: content.span)
        .encode(into: &output)
      for byte in content { output.append(byte) }
    }
  }

  /// The result of decoding the block of ``trace(_:kind:)``.
  static func decode(_ bytes: [UInt8]) throws(TraceError) -> (block: TraceBlock, stored: Range<Int>) {
    try TraceBlock.decode(bytes.span, at: TraceBlock.magicByteCount)
  }

  @Test func aBlockReadsBack() throws {
    let (block, stored) = try Self.decode(Self.trace([0, 5, 4, 0]))
    #expect(stored == 64..<68)
    #expect(
      block == TraceBlock(.events, thread: 7, firstCall: 1, firstObject: 2, nanoseconds: 3, content: [0, 5, 4, 0].span))
  }

  @Test func everyFlippedBitIsNamedWithItsBlock() {
    let bytes = Self.trace(Array(0..<100))
    for index in 8..<bytes.count {
      for bit in 0..<8 {
        var flipped = bytes
        flipped[index] ^= 1 << UInt8(bit)
        let finding: TraceError.Finding = index < 64 ? .damagedHeader : .damagedContent(kind: 2)
        #expect(throws: TraceError(finding, at: 8), "byte \(index) bit \(bit)") { try Self.decode(flipped) }
      }
    }
  }

  @Test func everyTruncationIsATruncatedBlock() {
    let bytes = Self.trace(Array(0..<100))
    for count in 8..<bytes.count {
      #expect(throws: TraceError(.truncatedBlock, at: count)) { try Self.decode(Array(bytes[..<count])) }
    }
  }

  @Test func theVersionIsTheLastDigitOfTheMagic() throws {
    #expect(try TraceBlock.version(of: Array("HLTRACE1".utf8).span) == 1)
    #expect(try TraceBlock.version(of: Self.trace([]).span) == 2)
    #expect(throws: TraceError(.newerVersion(3), at: 7)) { try TraceBlock.version(of: Array("HLTRACE3".utf8).span) }
    #expect(throws: TraceError(.badMagic, at: 7)) { try TraceBlock.version(of: Array("HLTRACEX".utf8).span) }
    #expect(throws: TraceError(.badMagic, at: 0)) { try TraceBlock.version(of: Array("XLTRACE2".utf8).span) }
    #expect(throws: TraceError(.truncatedHeader, at: 3)) { try TraceBlock.version(of: Array("HLT".utf8).span) }
  }

  /// The values of xxHash's own command, `xxhsum -H1`.
  @Test(
    arguments: [
      ([], 0xEF46_DB37_51D8_E999), (Array("a".utf8), 0xD24E_C4F1_A98C_6E5B), (Array("abc".utf8), 0x44BC_2CF5_AD77_0999),
      (Array("Nobody inspects the spammish repetition".utf8), 0xFBCE_A83C_8A37_8BF1),
    ] as [([UInt8], UInt64)]) func theChecksumIsXXH64(_ bytes: [UInt8], hash: UInt64)
  {
    #expect(TraceChecksum.of(bytes.span) == hash)
  }

  @Test func eventsOfABlockGoOnWithItsObjects() throws {
    var encoder = TraceEncoder(objectCount: 10)
    let bytes = [UInt8](capacity: 64) { output in
      for event in [TraceEvent.deallocate(object: 3), .deallocateEarlier, .mark(number: 2), .allocate(byteCount: 9)] {
        let isWritten = encoder.encode(event, into: &output)
        #expect(isWritten)
      }
    }
    var decoder = TraceDecoder(objectCount: 10)
    #expect(try decoder.next(in: bytes.span) == .deallocate(object: 3))
    #expect(try decoder.next(in: bytes.span) == .deallocateEarlier)
    #expect(try decoder.next(in: bytes.span) == .mark(number: 2))
    #expect(try decoder.next(in: bytes.span) == .allocate(byteCount: 9))
    #expect(decoder.objectCount == 11)
    #expect(try decoder.next(in: bytes.span) == nil)
    #expect(throws: TraceError(.unknownTag(9, highest: 8), at: 0)) {
      var decoder = TraceDecoder(objectCount: 0)
      return try decoder.next(in: [9].span)
    }
  }
}
