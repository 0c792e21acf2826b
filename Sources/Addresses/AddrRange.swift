public import Assertions

/// A half-open range of addresses: `start` is in it, `end` is not.
///
/// The last byte of the address space is in no range, since `end` must be an address too.
@frozen
public struct AddrRange<A: Addr>: Hashable, Sendable {
  /// The first address of the range.
  public let start: A

  /// The first address past the range.
  public let end: A

  /// The range from `start` up to `end`; traps when `end` is below `start`.
  @inlinable public init(start: A, end: A) {
    require(start <= end, "a range must not end below its start", UInt64(truncatingIfNeeded: start.raw))
    self.start = start
    self.end = end
  }

  /// The range of `byteCount` bytes from `start`; traps when that does not fit the address space.
  @inlinable public init(start: A, byteCount: A.Raw) {
    self.start = start
    self.end = start + byteCount
  }

  /// The range from `start` up to `end`, validated: for values from outside.
  @inlinable public init(validating start: A, end: A) throws(AddrRangeError) {
    guard start <= end else { throw .endsBelowStart }
    self.start = start
    self.end = end
  }

  /// The range of `byteCount` bytes from `start`, validated: for values from outside.
  @inlinable public init(validating start: A, byteCount: A.Raw) throws(AddrRangeError) {
    guard let end = start.checkedAdd(byteCount) else { throw .overflowsAddressSpace }
    self.start = start
    self.end = end
  }

  /// How many bytes the range has.
  @inlinable public var byteCount: A.Raw { end.raw - start.raw }

  /// Whether the range has no bytes.
  @inlinable public var isEmpty: Bool { start == end }
}

/// Why two numbers do not form a range.
public enum AddrRangeError: Error, Equatable, Sendable {
  /// The end is below the start.
  case endsBelowStart
  /// Start plus byte count is past the last address.
  case overflowsAddressSpace
}
