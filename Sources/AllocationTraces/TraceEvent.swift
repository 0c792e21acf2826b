/// One event of an allocation trace: a call of the malloc family, a passage of time, or a change of thread.
///
/// Objects are numbered 0, 1, 2 … in the order in which the first four kinds of event make them. A reallocation
/// ends one object and makes another.
@frozen
public enum TraceEvent: Hashable, Sendable {
  /// A new object of `byteCount` bytes.
  case allocate(byteCount: UInt64)
  /// A new object of `byteCount` bytes at a multiple of 2 to the power of `alignmentLog2`.
  case allocateAligned(byteCount: UInt64, alignmentLog2: UInt8)
  /// A new object of `byteCount` bytes, all zero.
  case allocateZeroed(byteCount: UInt64)
  /// `object` ends, and a new object of `byteCount` bytes begins with its content.
  case reallocate(object: UInt64, byteCount: UInt64)
  /// `object` ends.
  case deallocate(object: UInt64)
  /// `microseconds` have passed since the last such mark.
  case timePasses(microseconds: UInt64)
  /// The events from here on are those of the thread with this number.
  case threadBecomes(number: UInt64)

  /// The most bytes an event occupies: its tag and two numbers of ten bytes.
  @inlinable public static var byteCountMax: Int { 21 }

  /// Whether the event makes an object, which gets the next number.
  @inlinable public var makesObject: Bool {
    switch self {
    case .allocate, .allocateAligned, .allocateZeroed, .reallocate: true
    case .deallocate, .timePasses, .threadBecomes: false
    }
  }
}

/// The tag byte that opens an event in a trace.
@usableFromInline
enum TraceTag {
  @usableFromInline static var allocate: UInt8 { 0 }
  @usableFromInline static var allocateAligned: UInt8 { 1 }
  @usableFromInline static var allocateZeroed: UInt8 { 2 }
  @usableFromInline static var reallocate: UInt8 { 3 }
  @usableFromInline static var deallocate: UInt8 { 4 }
  @usableFromInline static var timePasses: UInt8 { 5 }
  @usableFromInline static var threadBecomes: UInt8 { 6 }
}
