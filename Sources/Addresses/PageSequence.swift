/// The whole pages of one size inside a range, in address order.
///
/// A `for` loop visits them where Swift has a runtime; `while let page = pages.next()` does everywhere.
@frozen
public struct PageSequence<A: Addr>: Sendable {
  /// What is left to visit: aligned, a whole number of pages.
  @usableFromInline var remaining: AddrRange<A>

  /// The size of every page.
  public let size: PageSize

  @inlinable init(in range: AddrRange<A>, size: PageSize) {
    self.remaining = range.alignedInward(to: A.Raw(size.byteCount))
    self.size = size
  }

  /// How many pages are left.
  @inlinable public var count: Int { Int(remaining.byteCount / A.Raw(size.byteCount)) }

  /// The next page, nil after the last.
  @inlinable public mutating func next() -> Page<A>? {
    guard !remaining.isEmpty else { return nil }
    let page = Page(start: remaining.start, size: size)
    remaining = AddrRange(start: page.end, end: remaining.end)
    return page
  }
}

#if !hasFeature(Embedded)
  // The protocol brings conversions to arrays, which allocate.
  extension PageSequence: Sequence, IteratorProtocol {
    @inlinable public var underestimatedCount: Int { count }
  }
#endif
