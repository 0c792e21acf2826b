// Ranges and alignment. Every function here traps unless the alignment is a power of two.

extension AddrRange {
  /// The largest range inside this one that starts and ends at multiples of `alignment`; empty when there is none.
  @inlinable public func alignedInward(to alignment: A.Raw) -> AddrRange {
    let alignedEnd = wrappedEnd.alignedDown(to: alignment)
    guard let alignedStart = start.checkedAlignedUp(to: alignment), contains(alignedStart),
      alignedStart.raw <= alignedEnd.raw &- 1
    else { return AddrRange(start: start, end: start) }
    return AddrRange(start: alignedStart, wrappedEnd: alignedEnd)
  }

  /// The smallest range around this one that starts and ends at multiples of `alignment`; traps when its end does
  /// not fit the address space.
  @inlinable public func alignedOutward(to alignment: A.Raw) -> AddrRange {
    AddrRange(start: start.alignedDown(to: alignment), end: end.alignedUp(to: alignment))
  }

  /// Whether the range starts and ends at multiples of `alignment`.
  @inlinable public func isAligned(to alignment: A.Raw) -> Bool {
    start.isAligned(to: alignment) && wrappedEnd.isAligned(to: alignment)
  }

  /// The whole pages of `size` inside the range, in address order.
  @inlinable public func pages(_ size: PageSize = .size4KiB) -> PageSequence<A> {
    PageSequence(in: self, size: size)
  }
}
