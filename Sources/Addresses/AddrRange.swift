public import Assertions

/// A half-open range of addresses: `start` is in it, `end` is not.
///
/// Only ``init(start:through:)`` makes a range that holds the last byte of the address space. Such a range has no
/// ``end``, which would be no address; everything else works on it.
@frozen
public struct AddrRange<A: Addr>: Hashable, Sendable {
  /// The first address of the range.
  public let start: A

  /// The first address past the range; 0 when that is no address.
  @usableFromInline let wrappedEnd: A

  /// The first address past the range; traps when the range holds the last byte of the address space.
  @inlinable public var end: A {
    require(
      start <= wrappedEnd, "a range that holds the last address has no end, found one from",
      UInt64(truncatingIfNeeded: start.raw))
    return wrappedEnd
  }

  /// The last address of the range; traps when the range is empty.
  @inlinable public var last: A {
    require(!isEmpty, "an empty range has no last address, found one at", UInt64(truncatingIfNeeded: start.raw))
    return A(wrappedEnd.raw &- 1)
  }

  @inlinable init(start: A, wrappedEnd: A) {
    self.start = start
    self.wrappedEnd = wrappedEnd
  }

  /// The range from `start` up to `end`; traps when `end` is below `start`.
  @inlinable public init(start: A, end: A) {
    require(start <= end, "a range must not end below its start", UInt64(truncatingIfNeeded: start.raw))
    self.init(start: start, wrappedEnd: end)
  }

  /// The range of `byteCount` bytes from `start`; traps when that does not fit the address space.
  @inlinable public init(start: A, byteCount: A.Raw) {
    self.init(start: start, wrappedEnd: start + byteCount)
  }

  /// The range from `start` through `last`, which it includes: it may hold the last byte of the address space.
  ///
  /// Traps when `last` is below `start`, and for the whole address space, whose bytes cannot be counted.
  @inlinable public init(start: A, through last: A) {
    require(start <= last, "a range must not end below its start", UInt64(truncatingIfNeeded: start.raw))
    require(!(start.isNull && last.raw == .max), "a range must not hold the whole address space")
    self.init(start: start, wrappedEnd: A(last.raw &+ 1))
  }

  /// The range from `start` up to `end`, validated: for values from outside.
  @inlinable public init(validating start: A, end: A) throws(AddrRangeError) {
    guard start <= end else { throw .endsBelowStart }
    self.init(start: start, wrappedEnd: end)
  }

  /// The range of `byteCount` bytes from `start`, validated: for values from outside.
  @inlinable public init(validating start: A, byteCount: A.Raw) throws(AddrRangeError) {
    guard let end = start.checkedAdd(byteCount) else { throw .overflowsAddressSpace }
    self.init(start: start, wrappedEnd: end)
  }

  /// How many bytes the range has.
  @inlinable public var byteCount: A.Raw { wrappedEnd.raw &- start.raw }

  /// Whether the range has no bytes.
  @inlinable public var isEmpty: Bool { start == wrappedEnd }
}

/// Why two numbers do not form a range.
public enum AddrRangeError: Error, Equatable, Sendable {
  /// The end is below the start.
  case endsBelowStart
  /// Start plus byte count is past the last address.
  case overflowsAddressSpace
}
