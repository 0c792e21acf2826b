import AllocationTraces
import Foundation
import LabTestSupport
import Testing

@Suite struct TraceEncoderTests {
  @Test(arguments: 0..<32) func randomEventsReadBack(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var objectCount: UInt64 = 0
    var events: [TraceEvent] = []
    for _ in 0..<1000 {
      // Every magnitude is equally likely: numbers take one to ten bytes.
      let number = generator.next() >> UInt64.random(in: 0..<64, using: &generator)
      let object = objectCount == 0 ? nil : UInt64.random(in: 0..<objectCount, using: &generator)
      let event: TraceEvent
      switch (UInt8.random(in: 0..<7, using: &generator), object) {
      case (0, _), (_, nil): event = .allocate(byteCount: number)
      case (1, _): event = .allocateAligned(byteCount: number, alignmentLog2: UInt8(number % 64))
      case (2, _): event = .allocateZeroed(byteCount: number)
      case (3, let object?): event = .reallocate(object: object, byteCount: number)
      case (4, let object?): event = .deallocate(object: object)
      case (5, _): event = .timePasses(microseconds: number)
      default: event = .threadBecomes(number: number)
      }
      if event.makesObject { objectCount += 1 }
      events.append(event)
    }
    #expect(try TraceBytes.decode(TraceBytes.trace(events: TraceBytes.encode(events))) == events, "seed \(seed)")
  }

  @Test func theLargestEventHasTheLargestByteCount() {
    var encoder = TraceEncoder()
    let bytes = [UInt8](capacity: 64) { output in
      let isWritten = encoder.encode(.allocate(byteCount: 1), into: &output)
      #expect(isWritten)
      let isLargestWritten = encoder.encode(.allocateAligned(byteCount: .max, alignmentLog2: 63), into: &output)
      #expect(isLargestWritten)
    }
    // A log2 takes one byte; only a distance past 2^63 would need all 21.
    #expect(bytes.count == 2 + 12)
    #expect(TraceEvent.byteCountMax == 1 + 10 + 10)
  }

  @Test func anEventThatDoesNotFitIsNotWritten() {
    var encoder = TraceEncoder()
    let bytes = [UInt8](capacity: 3) { output in
      let isFirstWritten = encoder.encode(.allocate(byteCount: 1), into: &output)
      let isSecondWritten = encoder.encode(.allocate(byteCount: 128), into: &output)
      #expect(isFirstWritten)
      #expect(!isSecondWritten)
    }
    #expect(bytes == [0, 1])
    #expect(encoder.objectCount == 1)
  }

  @Test func anUnknownObjectEndsTheProcess() async {
    let result = await #expect(
      processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]
    ) {
      _ = TraceBytes.encode([.allocate(byteCount: 1), .deallocate(object: 1)])
    }
    #expect(
      String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        == "heaplab: a traced event must name an object that was made before it, found: 0x1\n")
  }
}
