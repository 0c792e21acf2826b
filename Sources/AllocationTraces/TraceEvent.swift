/// One event of an allocation trace: a call of the malloc family, a passage of time, or a change of thread.
///
/// The first four kinds of event make objects, numbered 0, 1, 2 … in order of creation. A reallocation ends one
/// object and makes another.
@frozen
public enum TraceEvent: Hashable, Sendable {
  /// A new object of `byteCount` bytes.
  case allocate(byteCount: UInt64)
  /// A new object of `byteCount` bytes at a multiple of 2^`alignmentLog2`.
  case allocateAligned(byteCount: UInt64, alignmentLog2: UInt8)
  /// A new object of `byteCount` zero bytes.
  case allocateZeroed(byteCount: UInt64)
  /// `object` ends; a new object of `byteCount` bytes takes over its content.
  case reallocate(object: UInt64, byteCount: UInt64)
  /// `object` ends.
  case deallocate(object: UInt64)
  /// `microseconds` have passed since the last event of this kind.
  case timePasses(microseconds: UInt64)
  /// The events that follow belong to the thread with this number.
  case threadBecomes(number: UInt64)
  /// A block from before the recording ends: freed, or replaced by the next reallocation's result.
  case deallocateEarlier
  /// The program passed a mark; its name is the one of that number in the trace's text.
  case mark(number: UInt64)

  /// The longest event in bytes: its tag and two numbers of ten bytes.
  @inlinable public static var byteCountMax: Int { 21 }

  /// Whether the event is a call of the malloc family: all but passages of time, changes of thread, and marks.
  @inlinable public var isCall: Bool {
    switch self {
    case .allocate, .allocateAligned, .allocateZeroed, .reallocate, .deallocate, .deallocateEarlier: true
    case .timePasses, .threadBecomes, .mark: false
    }
  }

  /// Whether the event makes an object, which gets the next number.
  @inlinable public var makesObject: Bool {
    switch self {
    case .allocate, .allocateAligned, .allocateZeroed, .reallocate: true
    case .deallocate, .timePasses, .threadBecomes, .deallocateEarlier, .mark: false
    }
  }
}

/// The tag byte that starts an event.
@usableFromInline
enum TraceTag {
  @usableFromInline static var allocate: UInt8 { 0 }
  @usableFromInline static var allocateAligned: UInt8 { 1 }
  @usableFromInline static var allocateZeroed: UInt8 { 2 }
  @usableFromInline static var reallocate: UInt8 { 3 }
  @usableFromInline static var deallocate: UInt8 { 4 }
  @usableFromInline static var timePasses: UInt8 { 5 }
  @usableFromInline static var threadBecomes: UInt8 { 6 }
  @usableFromInline static var deallocateEarlier: UInt8 { 7 }
  @usableFromInline static var mark: UInt8 { 8 }
}
