public import Assertions

// Ranges as sets of addresses.

extension AddrRange {
  /// Whether `address` lies in the range.
  @inlinable public func contains(_ address: A) -> Bool {
    address.raw &- start.raw < byteCount
  }

  /// Whether every address of `other` lies in the range; true for an empty `other`.
  @inlinable public func contains(_ other: AddrRange) -> Bool {
    other.isEmpty || (contains(other.start) && contains(other.last))
  }

  /// Whether the two ranges have an address in common.
  @inlinable public func overlaps(_ other: AddrRange) -> Bool {
    !isEmpty && !other.isEmpty && start <= other.last && other.start <= last
  }

  /// The addresses that both ranges have, nil when there are none.
  @inlinable public func intersection(_ other: AddrRange) -> AddrRange? {
    overlaps(other)
      ? AddrRange(start: Swift.max(start, other.start), through: Swift.min(last, other.last)) : nil
  }

  /// The parts of the range below and above `other`, each nil when it is empty.
  @inlinable public func subtracting(_ other: AddrRange) -> (below: AddrRange?, above: AddrRange?) {
    if isEmpty { return (nil, nil) }
    guard overlaps(other) else { return other.start > start ? (self, nil) : (nil, self) }
    return (
      below: start < other.start ? AddrRange(start: start, end: other.start) : nil,
      above: other.last < last ? AddrRange(start: A(other.last.raw + 1), through: last) : nil
    )
  }

  /// The parts below `address` and from `address` on; traps unless `address` lies in the range or is its end.
  @inlinable public func split(at address: A) -> (below: AddrRange, above: AddrRange) {
    require(
      contains(address) || address == wrappedEnd, "a range must be split at an address of its own, found",
      UInt64(truncatingIfNeeded: address.raw))
    return (AddrRange(start: start, wrappedEnd: address), AddrRange(start: address, wrappedEnd: wrappedEnd))
  }
}
