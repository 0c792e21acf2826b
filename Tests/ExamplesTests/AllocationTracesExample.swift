import AllocationTraces
import Testing

@Suite struct AllocationTracesExample {
  @Test func aTraceOfTwoCalls() throws {
    // BEGIN
    let text = Array(#"{"program": "example"}"#.utf8)
    var encoder = TraceEncoder()
    let trace = [UInt8](capacity: 256) { output in
      _ = TraceHeader.encode(text: text.span, into: &output)
      _ = encoder.encode(.allocate(byteCount: 100), into: &output)
      _ = encoder.encode(.deallocate(object: 0), into: &output)
    }
    let header = try TraceHeader(decoding: trace.span)
    var decoder = TraceDecoder(after: header)
    var events: [TraceEvent] = []
    while let event = try decoder.next(in: trace.span) { events.append(event) }
    // END
    #expect(events == [.allocate(byteCount: 100), .deallocate(object: 0)])
    #expect(Array(trace[header.text]) == text)
  }
}
