package import HeapBlocks
package import HeapSpaces

// Where an active list's next blocks come from. In order, the cheapest and densest first: what the current span's own frees
// left, what other threads gave back, other spans with free blocks, pages of the current span that were never carved, an
// empty span at hand, a granule of the space.

extension ThreadHeap {
  /// How many bytes of blocks a class that runs out often gets to work with, at least: a part of the first cache.
  private static var hotByteCount: UInt { 16 << 10 }

  /// Makes the free list of `span`, the class's current one, the active list and takes a block from it; 0 when it is empty:
  /// the most frequent refill. The class has no magazine. Every 256th time it leaves the work to `refill`.
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

  /// Fills the active list of a class and takes a block from it; 0 when there is no memory.
  @inline(never)
  package func refill(_ sizeClass: SizeClass) -> UInt {
    // A thread that has its heap only now has not looked.
    var block = pop(sizeClass)
    if block == 0 { block = refillFromOwn(sizeClass) }
    if block == 0, fields.idleSpan == 0 {
      gatherSpans()
      // What other threads gave back meanwhile may be blocks of this class; a current span is put aside without any.
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

  /// Fills the active list of a class from the spans that the class has, and takes a block from it; 0 when none of them has
  /// one to give.
  private func refillFromOwn(_ sizeClass: SizeClass) -> UInt {
    let index = sizeClass.index
    if current(sizeClass) == 0 || space.span(current(sizeClass)).free == 0 {
      // Blocks that come home may be reason for a purge, which puts empty spans away: the current one may change.
      collectIncoming(sizeClass)
    }
    let current = current(sizeClass)
    if current != 0 {
      let span = space.span(current)
      if span.free != 0 {
        activateFree(of: span, sizeClass)
        // More blocks at once for a class that runs out this often.
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

  /// Pops a block off the list that was just filled.
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
