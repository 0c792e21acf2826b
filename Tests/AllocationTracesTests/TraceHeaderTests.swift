import AllocationTraces
import Testing

@Suite struct TraceHeaderTests {
  @Test func theTextAndTheEventsFollowThePrefix() throws {
    let bytes = Array("HLTRACE1".utf8) + [2, 0, 0, 0] + Array("{}".utf8) + [0, 1]
    let header = try TraceHeader(decoding: bytes.span)
    #expect(header.text == 12..<14)
    #expect(header.eventsStart == 14)
  }

  @Test(arguments: [
    (Array("HLTRACE2".utf8) + [0, 0, 0, 0], 7), (Array("GLTRACE1".utf8), 0), (Array("HLX".utf8), 2),
    (Array("\u{7F}ELF".utf8), 0),
  ]) func anotherKindOfFileHasABadMagic(_ bytes: [UInt8], offset: Int) {
    #expect(throws: TraceError(.badMagic, at: offset)) { try TraceHeader(decoding: bytes.span) }
  }

  @Test func everyTruncationOfAHeaderIsReported() {
    let bytes = Array("HLTRACE1".utf8) + [3, 0, 0, 0] + Array("{ }".utf8)
    for count in 0..<bytes.count {
      #expect(throws: TraceError(.truncatedHeader, at: count)) {
        try TraceHeader(decoding: Array(bytes[..<count]).span)
      }
    }
  }

  @Test func anEncodedHeaderReadsBack() throws {
    let text = Array("{\"program\": \"x\"}".utf8)
    let bytes = [UInt8](capacity: 64) { output in
      #expect(TraceHeader.encode(text: text.span, into: &output))
    }
    let header = try TraceHeader(decoding: bytes.span)
    #expect(Array(bytes[header.text]) == text)
    #expect(header.eventsStart == bytes.count)
  }

  @Test func aHeaderThatDoesNotFitIsNotWritten() {
    let bytes = [UInt8](capacity: 12) { output in
      #expect(!TraceHeader.encode(text: [0x7B].span, into: &output))
    }
    #expect(bytes.isEmpty)
  }
}
