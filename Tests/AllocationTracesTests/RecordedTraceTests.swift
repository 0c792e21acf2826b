import AllocationTraces
import Testing

@Suite struct RecordedTraceTests {
  @Test(arguments: TraceBytes.recorded) func aRecordedTraceReadsBackByteForByte(_ name: String) throws {
    let bytes = try TraceBytes.load(name)
    let header = try TraceHeader(decoding: bytes.span)
    let events = try TraceBytes.decode(bytes)
    #expect(TraceBytes.encode(events)[...] == bytes[header.eventsStart...])
  }

  /// The decoder is a value: each truncation is tried from the start of the event that it cuts.
  @Test(arguments: ["perl-hash", "node-zlib-threads"])
  func everyTruncationWithinAnEventIsReported(_ name: String) throws {
    let bytes = try TraceBytes.load(name).prefix(100_000)
    let span = bytes.span
    var decoder = TraceDecoder(after: try TraceHeader(decoding: span))
    var truncationCount = 0
    while true {
      let start = decoder
      guard (try? decoder.next(in: span)) != nil else { break }
      for end in start.position + 1..<decoder.position {
        var truncated = start
        do {
          _ = try truncated.next(in: span.extracting(first: end))
          Issue.record("nothing was wrong at byte \(end)")
        } catch {
          #expect(error == TraceError(.truncatedNumber, at: end))
        }
        truncationCount += 1
      }
    }
    #expect(truncationCount > 10_000)
  }
}
