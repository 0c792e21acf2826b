package import HeapBlocks
package import HeapSpaces

// Where an active list's next blocks come from. In order, the cheapest and densest first: the current span's own free
// list, blocks that other threads freed, other spans with free blocks, pages of the current span that were never
// carved, an empty span of the reserve, a granule of the space.

extension ThreadHeap {
  /// A class that runs out often carves until its current span has blocks of this many bytes: a part of the first-level
  /// cache.
  private static var hotByteCount: UInt { 16 << 10 }

  /// Makes the free list of `span`, the class's current one, the active list and pops a block; 0 when the list is
  /// empty. This is the most frequent refill. The class has no magazine. Every 256th time it leaves the work to
  /// `refill`.
  @inline(__always)
  package func refillFromCurrent(_ sizeClass: SizeClass, _ span: BlockSpan) -> UInt {
    let block = FreeBlock(span.free)
    if block.address == 0 { return 0 }
    // SAFETY: a class's number is below the count.
    unsafe fields.refillCounts[unchecked: sizeClass.index] &+= 1
    // SAFETY: as above.
    if unsafe fields.refillCounts[unchecked: sizeClass.index] == 0 { return 0 }
    span.free = 0
    span.pending = span.target
    setActive(sizeClass, block.next)
    block.markWord = 0
    return block.address
  }

  /// Fills the active list of a class and pops a block; 0 when there is no memory.
  @inline(never)
  package func refill(_ sizeClass: SizeClass) -> UInt {
    // A thread that got its heap just now has not tried.
    var block = pop(sizeClass)
    if block == 0 { block = refillFromOwn(sizeClass) }
    if block == 0, fields.idleSpan == 0 {
      gatherSpans()
      // Blocks of this class may have come home meanwhile. A current span is replaced only when it has none.
      block = refillFromOwn(sizeClass)
    }
    if block != 0 { return block }
    guard let span = takeEmptySpan(for: sizeClass) else { return 0 }
    replaceCurrent(with: span, sizeClass)
    if span.free != 0 {
      activateFree(of: span, sizeClass)
      return pop(sizeClass)
    }
    return carve(span, sizeClass) ? pop(sizeClass) : 0
  }

  /// Fills the active list of a class from the class's own spans and pops a block; 0 when none of them has a block.
  private func refillFromOwn(_ sizeClass: SizeClass) -> UInt {
    let index = sizeClass.index
    if current(sizeClass) == 0 || space.span(current(sizeClass)).free == 0 {
      // Blocks that come home may make a purge due, which retires empty spans: the current span may change.
      collectIncoming(sizeClass)
    }
    let current = current(sizeClass)
    if current != 0 {
      let span = space.span(current)
      if span.free != 0 {
        activateFree(of: span, sizeClass)
        // A class that runs out this often gets more blocks at once.
        if UInt(span.carvedCount) * UInt(span.blockByteCount) < ThreadHeap.hotByteCount { _ = carve(span, sizeClass) }
        return pop(sizeClass)
      }
      if fields.available[index] == 0, span.absentPages != 0 {
        if carve(span, sizeClass) { return pop(sizeClass) }
      }
    }
    while fields.available[index] != 0 {
      let span = space.span(fields.available[index])
      unlink(span)
      noteReused(span)
      replaceCurrent(with: span, sizeClass)
      if span.free != 0 {
        activateFree(of: span, sizeClass)
        return pop(sizeClass)
      }
      if carve(span, sizeClass) { return pop(sizeClass) }
    }
    return 0
  }

  /// Pops a block from the list that was just filled.
  private func pop(_ sizeClass: SizeClass) -> UInt {
    sizeClass.hasMagazine ? popMagazine(sizeClass) : popActive(sizeClass)
  }

  /// Makes the span's free list the active one.
  private func activateFree(of span: BlockSpan, _ sizeClass: SizeClass) {
    if sizeClass.hasMagazine { noteLoaded(span.freeCount, sizeClass) }
    setActive(sizeClass, span.free)
    span.free = 0
    span.notify(after: Int(span.carvedCount) + 1, freeCount: 0)
  }
}
