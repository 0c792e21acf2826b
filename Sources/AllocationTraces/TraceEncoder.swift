public import Assertions

/// Encodes the events of a trace into bytes that the caller provides, for a recorder that must not allocate.
///
/// The encoder keeps only the object count. A recorder passes it one buffer after another and writes each out once it
/// is full. The format has no blocks: a buffer may end after any event, but must not split one.
@frozen
public struct TraceEncoder: Hashable, Sendable {
  /// How many objects the events so far have made, which is the number of the next one.
  @inlinable public var objectCount: UInt64 { madeCount }

  @usableFromInline var madeCount: UInt64 = 0

  /// An encoder at the start of a trace: no event has made an object yet.
  @inlinable public init() {}

  /// An encoder after `objectCount` objects.
  @inlinable public init(objectCount: UInt64) { madeCount = objectCount }

  /// Appends `event` to `output`.
  ///
  /// Traps when the event names an object that no event has made, or an alignment above 2^63.
  /// - Returns: Whether it fitted; if not, nothing was written: encode the event again into a buffer with at least
  ///   ``TraceEvent/byteCountMax`` bytes free.
  /// - Complexity: O(1).
  @inlinable public mutating func encode(_ event: TraceEvent, into output: inout OutputSpan<UInt8>) -> Bool {
    let tag: UInt8
    let first: UInt64?
    var second: UInt64?
    switch event {
    case .allocate(let byteCount):
      (tag, first) = (TraceTag.allocate, byteCount)
    case .allocateAligned(let byteCount, let alignmentLog2):
      require(alignmentLog2 < 64, "a traced alignment must be at most 2^63, found log2", UInt64(alignmentLog2))
      (tag, first, second) = (TraceTag.allocateAligned, byteCount, UInt64(alignmentLog2))
    case .allocateZeroed(let byteCount):
      (tag, first) = (TraceTag.allocateZeroed, byteCount)
    case .reallocate(let object, let byteCount):
      (tag, first, second) = (TraceTag.reallocate, distance(to: object), byteCount)
    case .deallocate(let object):
      (tag, first) = (TraceTag.deallocate, distance(to: object))
    case .timePasses(let microseconds):
      (tag, first) = (TraceTag.timePasses, microseconds)
    case .threadBecomes(let number):
      (tag, first) = (TraceTag.threadBecomes, number)
    case .deallocateEarlier:
      (tag, first) = (TraceTag.deallocateEarlier, nil)
    case .mark(let number):
      (tag, first) = (TraceTag.mark, number)
    }
    let byteCount = 1 + (first.map { Self.byteCount(of: $0) } ?? 0) + (second.map { Self.byteCount(of: $0) } ?? 0)
    guard output.freeCapacity >= byteCount else { return false }
    output.append(tag)
    if let first { Self.append(first, to: &output) }
    if let second { Self.append(second, to: &output) }
    if event.makesObject { madeCount += 1 }
    return true
  }

  /// The distance of `object` from the newest object.
  @inlinable func distance(to object: UInt64) -> UInt64 {
    require(object < objectCount, "a traced event must name an object that was made before it, found", object)
    return objectCount - 1 - object
  }

  /// The length of `number` in LEB128: one byte per seven bits begun, and one byte for 0.
  @inlinable static func byteCount(of number: UInt64) -> Int {
    max(1, (UInt64.bitWidth - number.leadingZeroBitCount + 6) / 7)
  }

  /// Appends `number` as LEB128.
  @inlinable static func append(_ number: UInt64, to output: inout OutputSpan<UInt8>) {
    var rest = number
    while rest >= 0x80 {
      output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    output.append(UInt8(rest))
  }
}
