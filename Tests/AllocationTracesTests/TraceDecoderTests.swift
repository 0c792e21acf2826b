import AllocationTraces
import LabTestSupport
import Testing

@Suite struct TraceDecoderTests {
  @Test func everyKindOfEventIsRead() throws {
    let bytes = TraceBytes.trace(events: [
      6, 3, 0, 5, 1, 0x80, 0x20, 12, 2, 0, 3, 2, 9, 5, 0xE8, 0x07, 4, 0, 4, 1,
    ])
    #expect(
      try TraceBytes.decode(bytes) == [
        .threadBecomes(number: 3), .allocate(byteCount: 5), .allocateAligned(byteCount: 4096, alignmentLog2: 12),
        .allocateZeroed(byteCount: 0), .reallocate(object: 0, byteCount: 9), .timePasses(microseconds: 1000),
        .deallocate(object: 3), .deallocate(object: 2),
      ])
  }

  static let flaws: [([UInt8], TraceError.Finding, Int)] = [
    ([7], .unknownTag(7), 0),
    ([0, 1, 255, 0], .unknownTag(255), 2),
    ([0], .truncatedNumber, 1),
    ([0, 0x80], .truncatedNumber, 2),
    ([1, 8], .truncatedNumber, 2),
    ([0, 1, 3, 0], .truncatedNumber, 4),
    ([4, 0], .noSuchObject(distance: 0, objectCount: 0), 1),
    ([3, 0, 8], .noSuchObject(distance: 0, objectCount: 0), 1),
    ([0, 1, 0, 1, 4, 2], .noSuchObject(distance: 2, objectCount: 2), 5),
    ([0, 1, 4, 0xFF, 0x01], .noSuchObject(distance: 255, objectCount: 1), 3),
    ([1, 8, 64], .impossibleAlignment(log2: 64), 2),
    ([0] + [UInt8](repeating: 0xFF, count: 9) + [2], .oversizedNumber, 1),
    ([0] + [UInt8](repeating: 0x80, count: 10) + [0], .oversizedNumber, 1),
    ([5] + [UInt8](repeating: 0xFF, count: 30), .oversizedNumber, 1),
  ]

  @Test(arguments: flaws)
  func aFlawIsNamedWithItsOffset(_ events: [UInt8], finding: TraceError.Finding, offset: Int) {
    let error = TraceError(finding, at: TraceBytes.eventsStart + offset)
    #expect(throws: error) { try TraceBytes.decode(TraceBytes.trace(events: events)) }
  }

  @Test func theLargestNumberIsRead() throws {
    let bytes = TraceBytes.trace(events: [0] + [UInt8](repeating: 0xFF, count: 9) + [1])
    #expect(try TraceBytes.decode(bytes) == [.allocate(byteCount: .max)])
  }

  @Test func aFlawLeavesTheDecoderWhereItWas() throws {
    let bytes = TraceBytes.trace(events: [0, 1, 3, 0, 0x80])
    var decoder = TraceDecoder(after: try TraceHeader(decoding: bytes.span))
    #expect(try decoder.next(in: bytes.span) == .allocate(byteCount: 1))
    let before = decoder
    #expect(throws: TraceError(.truncatedNumber, at: bytes.count)) { try decoder.next(in: bytes.span) }
    #expect(decoder == before)
  }

  @Test func messagesNameTheByteTheFindingAndARemedy() {
    let messages = Self.flaws.map { TraceError($0.1, at: $0.2).description }
    #expect(messages[0] == "byte 0: an event must start with a tag 0…6, found 7; the trace is damaged")
    #expect(messages[2] == "byte 1: the trace ends within an event; copy or record it again")
    #expect(
      messages[8] == "byte 5: an event names the object 2 before the newest of 2; the trace is damaged")
    #expect(messages[10] == "byte 2: an alignment must be 2^0…2^63, found 2^64; the trace is damaged")
    #expect(
      messages[11] == "byte 1: a number of more than 64 bits; the trace is damaged, copy or record it again")
    #expect(
      TraceError(.badMagic, at: 0).description
        == "byte 0: no allocation trace: it must start with HLTRACE1 or HLTRACE2")
    #expect(
      TraceError(.truncatedHeader, at: 9).description
        == "byte 9: the trace ends within its header; copy or record it again")
  }

  @Test(arguments: 0..<16) func randomBytesNeverCrashTheDecoder(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for round in 0..<500 {
      // Small bytes make many valid events before the error; all bytes make every kind of error.
      let top: UInt8 = round.isMultiple(of: 2) ? 8 : 255
      let events = (0..<64).map { _ in UInt8.random(in: 0...top, using: &generator) }
      let bytes = TraceBytes.trace(events: events)
      var decoder = TraceDecoder(after: try TraceHeader(decoding: bytes.span))
      do {
        while try decoder.next(in: bytes.span) != nil {}
        #expect(decoder.position == bytes.count, "seed \(seed)")
      } catch {
        #expect((decoder.position...bytes.count).contains(error.byteOffset), "seed \(seed)")
      }
    }
  }
}
