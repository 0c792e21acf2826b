import AllocationTraces
import Foundation

/// Traces as bytes, for the tests of the decoder.
enum TraceBytes {
  /// The names of the recorded traces.
  static let recorded = ["cc1plus-stl", "node-zlib-threads", "perl-hash", "python-json", "sqlite-oltp"]

  /// The start of the events of ``trace(events:)``.
  static let eventsStart = 12

  /// A recorded trace of this repository.
  static func load(_ name: String) throws -> [UInt8] {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return [UInt8](try Data(contentsOf: root.appending(path: "Benchmarks/Traces/\(name).hltrace")))
  }

  /// A trace with an empty header text and the bytes `events`.
  static func trace(events: [UInt8]) -> [UInt8] { Array("HLTRACE1".utf8) + [0, 0, 0, 0] + events }

  /// `events` as bytes, without a header.
  static func encode(_ events: [TraceEvent]) -> [UInt8] {
    var encoder = TraceEncoder()
    return [UInt8](capacity: events.count * TraceEvent.byteCountMax) { output in
      for event in events {
        let isWritten = encoder.encode(event, into: &output)
        precondition(isWritten, "the buffer has room for every event at its largest")
      }
    }
  }

  /// The events of `bytes`.
  static func decode(_ bytes: [UInt8]) throws(TraceError) -> [TraceEvent] {
    var decoder = TraceDecoder(after: try TraceHeader(decoding: bytes.span))
    var events: [TraceEvent] = []
    while let event = try decoder.next(in: bytes.span) { events.append(event) }
    return events
  }
}
