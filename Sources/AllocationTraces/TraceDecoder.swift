// Decodes the events of an allocation trace.
//
// An event is a tag and up to two unsigned LEB128 numbers: seven bits per byte, lowest first, the top bit set on every
// byte but the last. An object is named by its distance from the newest one. Programs mostly free what they allocated
// lately, so nearly every distance takes one byte, and an event of a long trace takes two to three on average.
//
// Invariants, with n objects made so far:
//   0 ≤ distance < n, and the object's number is n − 1 − distance;
//   position is the start of an event, or the end of the bytes.
// An error leaves the decoder as it was before the event: a caller can tell how far it has read.
//
// Version 1 of the format cannot tell a trace cut off between two events from a complete one; a reader that knows the header's
// counts can. Callers track whether an object that an event names is still alive: that takes memory, and the decoder
// has none.

/// A position in a trace: decodes one event after another from bytes that the caller keeps.
@frozen
public struct TraceDecoder: Hashable, Sendable {
  /// The start of the next event, in bytes from the start of the trace.
  @inlinable public var position: Int { cursor }

  /// How many objects the earlier events have made.
  @inlinable public var objectCount: UInt64 { madeCount }

  @usableFromInline var cursor: Int
  @usableFromInline var madeCount: UInt64 = 0
  @usableFromInline let highestTag: UInt8

  /// A decoder at the first event after `header`.
  @inlinable public init(after header: TraceHeader) {
    cursor = header.eventsStart
    highestTag = TraceTag.threadBecomes
  }

  /// A decoder at `position` of the content of an events block, before which the trace makes `objectCount` objects.
  @inlinable public init(at position: Int = 0, objectCount: UInt64) {
    cursor = position
    madeCount = objectCount
    highestTag = TraceTag.mark
  }

  /// The next event of the trace `bytes`, or nil at its end.
  ///
  /// - Parameter bytes: The whole trace of version 1 from its start, or the content of an events block; the same at every
  ///   call.
  /// - Throws: ``TraceError`` when there is no valid event at ``position``; the decoder then stays there.
  /// - Complexity: O(1).
  @inlinable public mutating func next(in bytes: Span<UInt8>) throws(TraceError) -> TraceEvent? {
    guard cursor < bytes.count else { return nil }
    var end = cursor + 1
    let event: TraceEvent
    switch bytes[cursor] {
    case TraceTag.allocate:
      event = .allocate(byteCount: try Self.number(in: bytes, at: &end))
    case TraceTag.allocateAligned:
      let byteCount = try Self.number(in: bytes, at: &end)
      let start = end
      let log2 = try Self.number(in: bytes, at: &end)
      guard log2 < 64 else { throw TraceError(.impossibleAlignment(log2: log2), at: start) }
      event = .allocateAligned(byteCount: byteCount, alignmentLog2: UInt8(log2))
    case TraceTag.allocateZeroed:
      event = .allocateZeroed(byteCount: try Self.number(in: bytes, at: &end))
    case TraceTag.reallocate:
      let object = try object(in: bytes, at: &end)
      event = .reallocate(object: object, byteCount: try Self.number(in: bytes, at: &end))
    case TraceTag.deallocate:
      event = .deallocate(object: try object(in: bytes, at: &end))
    case TraceTag.timePasses:
      event = .timePasses(microseconds: try Self.number(in: bytes, at: &end))
    case TraceTag.threadBecomes:
      event = .threadBecomes(number: try Self.number(in: bytes, at: &end))
    case TraceTag.deallocateEarlier where highestTag >= TraceTag.deallocateEarlier:
      event = .deallocateEarlier
    case TraceTag.mark where highestTag >= TraceTag.mark:
      event = .mark(number: try Self.number(in: bytes, at: &end))
    case let tag:
      throw TraceError(.unknownTag(tag, highest: highestTag), at: cursor)
    }
    cursor = end
    if event.makesObject { madeCount += 1 }
    return event
  }

  /// The number of the object whose distance is at `cursor`.
  @inlinable func object(in bytes: Span<UInt8>, at cursor: inout Int) throws(TraceError) -> UInt64 {
    let start = cursor
    let distance = try Self.number(in: bytes, at: &cursor)
    guard distance < objectCount else {
      throw TraceError(.noSuchObject(distance: distance, objectCount: objectCount), at: start)
    }
    return objectCount - 1 - distance
  }

  /// The LEB128 number at `cursor`; moves `cursor` past it.
  @inlinable static func number(in bytes: Span<UInt8>, at cursor: inout Int) throws(TraceError) -> UInt64 {
    let start = cursor
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while cursor < bytes.count {
      let byte = bytes[cursor]
      let bits = UInt64(byte & 0x7F)
      // The tenth byte holds only bit 63, and there is no eleventh.
      guard shift < 63 || (shift == 63 && bits <= 1) else { throw TraceError(.oversizedNumber, at: start) }
      value |= bits << shift
      cursor += 1
      if byte < 0x80 { return value }
      shift += 7
    }
    throw TraceError(.truncatedNumber, at: bytes.count)
  }
}
