internal import HeapBlocks
internal import HeapSpaces

// The spans of a heap: the current one of each class, those with blocks to allocate, and the source of new ones.

extension ThreadHeap {
  /// Makes `span` the current one of its class and puts the previous one aside.
  func replaceCurrent(with span: BlockSpan, _ sizeClass: SizeClass) {
    let before = current(sizeClass)
    span.use = .currentSpan
    setCurrent(sizeClass, space.number(of: span.granule))
    if before != 0 { park(space.span(before)) }
  }

  /// Puts a current span aside that has no blocks on its free list.
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

  /// Adds a span at the front of its class's list.
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

  /// Removes a span from its class's list.
  func unlink(_ span: BlockSpan) {
    let previous = span.fields.previous
    let next = span.fields.next
    if fields.purgeSpan == space.number(of: span.granule) { fields.purgeSpan = next }
    if next != 0 { space.span(next).fields.previous = previous }
    if previous != 0 {
      space.span(previous).fields.next = next
    } else {
      fields.available[span.sizeClass.index] = next
    }
  }

  /// Makes this heap the owner of an empty span.
  private func own(_ span: BlockSpan) {
    span.owner = fields.number
    span.hotOwner = span.sizeClass.hasMagazine ? 0 : address
  }

  /// How many pages with memory a class's first span begins with. Most classes never need more.
  private static var firstPages: UInt16 { 0x000F }

  /// Purges, now and then, what a granule has of its last use and a class's first span will hardly need. Only a young heap
  /// does: in an old one, classes that empty their spans and fill new ones in turns would pay each time.
  private func purgeRest(of granule: Granule) {
    guard fields.firstSpanCount < .max else { return }
    fields.firstSpanCount += 1
    guard fields.firstSpanCount % 8 == 0 else { return }
    let rest = granule.fields.residentPages & ~ThreadHeap.firstPages
    if rest != 0, space.fields.ownsMapping { space.decommit(pages: rest, of: granule) }
  }

  /// An empty span of `sizeClass`, owned by this heap; nil when there is no memory.
  func takeEmptySpan(for sizeClass: SizeClass) -> BlockSpan? {
    let idle = popIdleSpan()
    if let idle { noteReused(idle) }
    guard let span = idle ?? space.allocateGranule(onNode: fields.node)?.span else { return nil }
    if idle != nil, span.sizeClass == sizeClass {
      // It is as it was when it was retired: carved, with every block on its free list.
      fields.heldByteCount += span.presentByteCount
    } else {
      span.begin(sizeClass)
      if current(sizeClass) == 0, fields.available[sizeClass.index] == 0 { purgeRest(of: span.granule) }
    }
    own(span)
    return span
  }
}
