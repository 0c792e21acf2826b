internal import HeapBlocks
internal import HeapSpaces

// The spans of a heap: which one its class allocates from, which have blocks to give, and where new ones come from.

extension ThreadHeap {
  /// Makes `span` the one that its class allocates from and puts the one before it aside.
  func replaceCurrent(with span: BlockSpan, _ sizeClass: SizeClass) {
    let before = current(sizeClass)
    span.use = .currentSpan
    setCurrent(sizeClass, space.number(of: span.granule))
    if before != 0 { park(space.span(before)) }
  }

  /// Puts aside a current span with no blocks on its free list.
  private func park(_ span: BlockSpan) {
    if span.absentPages != 0 && span.carvedCount < span.capacity {
      link(span)
      span.notify(after: Int(span.carvedCount), freeCount: 0)
    } else {
      span.use = .fullSpan
      span.notify(after: max(1, Int(span.carvedCount) / 16), freeCount: 0)
      settle(span)
    }
  }

  /// Puts a span at the front of its class's list.
  func link(_ span: BlockSpan) {
    unsettle(span)
    let index = span.sizeClass.index
    let first = fields.available[index]
    let granule = space.number(of: span.granule)
    span.use = .availableSpan
    span.fields.previous = 0
    span.fields.next = first
    if first != 0 { space.span(first).fields.previous = granule }
    fields.available[index] = granule
  }

  /// Takes a span out of its class's list.
  func unlink(_ span: BlockSpan) {
    let previous = span.fields.previous
    let next = span.fields.next
    if next != 0 { space.span(next).fields.previous = previous }
    if previous != 0 {
      space.span(previous).fields.next = next
    } else {
      fields.available[span.sizeClass.index] = next
    }
  }

  /// Makes an empty span one of this heap's.
  private func own(_ span: BlockSpan) {
    span.owner = fields.number
    span.hotOwner = span.sizeClass.hasMagazine ? 0 : address
  }

  /// An empty span, made one of `sizeClass`, nil when there is no memory.
  func takeEmptySpan(for sizeClass: SizeClass) -> BlockSpan? {
    if let span = popIdleSpan() {
      noteReused(span)
      if span.sizeClass == sizeClass {
        // It comes back as it went: carved, every block on its free list.
        own(span)
        fields.heldByteCount += span.presentByteCount
        return span
      }
      span.begin(sizeClass)
      own(span)
      return span
    }
    guard let span = space.allocateGranule()?.span else { return nil }
    span.begin(sizeClass)
    own(span)
    return span
  }
}
