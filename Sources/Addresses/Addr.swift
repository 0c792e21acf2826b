public import Assertions

/// An address in one address space. It is not a byte count, an index or an address of another space.
///
/// The two spaces are ``PhysAddr`` and ``VirtAddr``; ``AddrRange`` and ``Page`` work over either.
/// Arithmetic traps on overflow with a message; ``checkedAdd(_:)`` and ``checkedSubtract(_:)`` report it instead.
public protocol Addr: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// The unsigned integer that holds an address, in bytes.
  associatedtype Raw: FixedWidthInteger & UnsignedInteger & BitwiseCopyable & Sendable

  /// The address as an integer.
  var raw: Raw { get }

  /// The address `raw`.
  init(_ raw: Raw)
}

extension Addr {
  /// Address 0, which no allocator gives out.
  @inlinable public static var null: Self { Self(0) }

  /// Whether this is address 0.
  @inlinable public var isNull: Bool { raw == 0 }

  @inlinable public static func < (left: Self, right: Self) -> Bool { left.raw < right.raw }

  /// The address rounded down to a multiple of `alignment` bytes; traps unless that is a power of two.
  @inlinable public func alignedDown(to alignment: Raw) -> Self {
    requirePowerOfTwo(alignment)
    return Self(raw & ~(alignment - 1))
  }

  /// The address rounded up to a multiple of `alignment` bytes.
  ///
  /// Traps unless `alignment` is a power of two, and when the result would not fit the address space.
  @inlinable public func alignedUp(to alignment: Raw) -> Self {
    guard let aligned = checkedAlignedUp(to: alignment) else {
      fail("an address rounded up to its alignment must fit the address space", UInt64(truncatingIfNeeded: raw))
    }
    return aligned
  }

  /// The address rounded up to a multiple of `alignment` bytes, or nil when that does not fit the address space.
  ///
  /// Traps unless `alignment` is a power of two.
  @inlinable public func checkedAlignedUp(to alignment: Raw) -> Self? {
    requirePowerOfTwo(alignment)
    let (sum, overflow) = raw.addingReportingOverflow(alignment - 1)
    return overflow ? nil : Self(sum & ~(alignment - 1))
  }

  /// Whether the address is a multiple of `alignment` bytes; traps unless that is a power of two.
  @inlinable public func isAligned(to alignment: Raw) -> Bool {
    requirePowerOfTwo(alignment)
    return raw & (alignment - 1) == 0
  }

  /// The address `byteCount` bytes further on, or nil when that does not fit the address space.
  @inlinable public func checkedAdd(_ byteCount: Raw) -> Self? {
    let (sum, overflow) = raw.addingReportingOverflow(byteCount)
    return overflow ? nil : Self(sum)
  }

  /// The address `byteCount` bytes back, or nil when that lies below address 0.
  @inlinable public func checkedSubtract(_ byteCount: Raw) -> Self? {
    let (difference, overflow) = raw.subtractingReportingOverflow(byteCount)
    return overflow ? nil : Self(difference)
  }

  /// The address `byteCount` bytes further on; traps on overflow.
  @inlinable public static func + (address: Self, byteCount: Raw) -> Self {
    guard let sum = address.checkedAdd(byteCount) else {
      fail("an address plus a byte count must fit the address space", UInt64(truncatingIfNeeded: address.raw))
    }
    return sum
  }

  /// The address `byteCount` bytes back; traps below address 0.
  @inlinable public static func - (address: Self, byteCount: Raw) -> Self {
    guard let difference = address.checkedSubtract(byteCount) else {
      fail("an address minus a byte count must not be negative", UInt64(truncatingIfNeeded: address.raw))
    }
    return difference
  }

  /// The bytes from `start` up to this address; traps when `start` is the higher one.
  @inlinable public func byteCount(from start: Self) -> Raw {
    require(start <= self, "a distance must run upward, from", UInt64(truncatingIfNeeded: start.raw))
    return raw - start.raw
  }
}

/// Traps unless `alignment` is a power of two.
@inlinable @inline(__always)
func requirePowerOfTwo<Raw: FixedWidthInteger & UnsignedInteger>(_ alignment: Raw) {
  require(
    alignment.isPowerOfTwo, "an alignment must be a power of two, found", UInt64(truncatingIfNeeded: alignment))
}
