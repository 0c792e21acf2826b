/// The whole pages of one size inside a range, in address order.
///
/// Iterate with a `for` loop where Swift has a runtime, and with `while let page = pages.next()` everywhere.
@frozen
public struct PageSequence<A: Addr>: Sendable {
  /// The part still to visit: aligned, a whole number of pages.
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
    // Wraps after the last page of the address space, where nothing remains.
    remaining = AddrRange(start: A(page.start.raw &+ page.byteCount), wrappedEnd: remaining.wrappedEnd)
    return page
  }
}

#if !hasFeature(Embedded)
  // The Sequence protocol brings conversions to arrays, which allocate.
  extension PageSequence: Sequence, IteratorProtocol {
    @inlinable public var underestimatedCount: Int { count }
  }
#endif
