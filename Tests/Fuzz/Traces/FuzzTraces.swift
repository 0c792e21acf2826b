import AllocationTraces

// A libFuzzer target. Its input is a trace, or with a first byte of 1 the content of an events block: no fuzzer guesses
// a checksum, so the target makes the block around it. Whatever the bytes, the reader must end without a trap, read
// nothing outside them (AddressSanitizer watches), and stay where it was at an error. scripts/fuzz-traces runs it.

/// Runs one input. A violation ends the process, which libFuzzer reports.
@c(LLVMFuzzerTestOneInput)
public func fuzzTraces(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard count > 0, let bytes = unsafe bytes else { return 0 }
  // SAFETY: libFuzzer passes `count` bytes that stay valid during the call.
  let input = unsafe Array(UnsafeBufferPointer(start: bytes + 1, count: count - 1))
  unsafe bytes.pointee == 1 ? read(block(of: input)) : read(input)
  return 0
}

/// A trace with one events block of this content.
private func block(of content: [UInt8]) -> [UInt8] {
  [UInt8](capacity: TraceBlock.magicByteCount + TraceBlock.headerByteCount + content.count) { output in
    TraceBlock.encodeMagic(into: &output)
    TraceBlock(.events, firstObject: 5, content: content.span).encode(into: &output)
    for byte in content { output.append(byte) }
  }
}

private func read(_ trace: [UInt8]) {
  guard let version = try? TraceBlock.version(of: trace.span) else { return }
  if version == 1 {
    guard let header = try? TraceHeader(decoding: trace.span) else { return }
    return readEvents(trace.span, TraceDecoder(after: header))
  }
  var offset = TraceBlock.magicByteCount
  while offset < trace.count {
    guard let (block, stored) = try? TraceBlock.decode(trace.span, at: offset) else { return }
    precondition(stored.lowerBound == offset + TraceBlock.headerByteCount, "a block's content follows its header")
    precondition(stored.upperBound <= trace.count, "a block's content lies in the trace")
    if block.kind == .events, block.encoding == .plain {
      readEvents(trace.span.extracting(stored), TraceDecoder(objectCount: block.firstObject))
    }
    offset = stored.upperBound
  }
}

private func readEvents(_ bytes: Span<UInt8>, _ start: TraceDecoder) {
  var decoder = start
  while true {
    let before = decoder
    do throws(TraceError) {
      guard let event = try decoder.next(in: bytes) else {
        precondition(decoder.position == bytes.count, "the reader ends at the end")
        return
      }
      precondition(decoder.position > before.position, "an event has bytes")
      precondition(decoder.objectCount == before.objectCount + (event.makesObject ? 1 : 0), "an event makes an object")
      #if SEEDED_BUG
        if case .mark(let number) = event, number > 300 { fatalError("the planted bug: a mark is never above 300") }
      #endif
    } catch {
      precondition(decoder == before, "an error leaves the reader where it was")
      precondition((decoder.position...bytes.count).contains(error.byteOffset), "an error names a place ahead")
      return
    }
  }
}
