package import HeapBlocks
package import HeapSpaces

// Where an active list's next blocks come from. In order, the cheapest and densest first: the current span's own free
// list, blocks that other threads freed, other spans with free blocks, pages of the current span that were never
// carved, an empty span of the reserve, a granule of the space.

extension ThreadHeap {
  /// A class that runs out often carves until its current span has blocks of this many bytes: a part of the first-level
  /// cache.
  private static var hotByteMaximum: UInt { 16 << 10 }
  private var hotByteCount: UInt { min(ThreadHeap.hotByteMaximum, fields.heldByteCount / 64) }

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
    guard isSampling, !sizeClass.hasMagazine else { return refillWhole(sizeClass) }
    countdown.loadedCount = 0
    let block = refillWhole(sizeClass)
    if block != 0 { cut(sizeClass) }
    return block
  }

  private func refillWhole(_ sizeClass: SizeClass) -> UInt {
    // A thread that got its heap just now has not tried.
    var block = pop(sizeClass)
    if block == 0 { block = refillFromOwn(sizeClass) }
    if block == 0, fields.idleSpan == 0 {
      gatherSpans()
      // Blocks of this class may have come home meanwhile. A current span is replaced only when it has none.
      block = refillFromOwn(sizeClass)
    }
    if block != 0 { return block }
    if !earnsSpan(sizeClass) {
      block = takeFromArena(sizeClass)
      if block != 0 { return block }
    }
    return refillFromEmptySpan(sizeClass)
  }

  /// Makes an empty span the current one of a class, and pops a block; 0 when there is no memory.
  private func refillFromEmptySpan(_ sizeClass: SizeClass) -> UInt {
    guard let span = takeEmptySpan(for: sizeClass) else { return 0 }
    replaceCurrent(with: span, sizeClass)
    if span.free != 0 {
      activateFree(of: span, sizeClass)
      return pop(sizeClass)
    }
    return carve(span, sizeClass) ? pop(sizeClass) : 0
  }

  /// A block of a span of a class with a magazine, however few the thread has; 0 when there is no memory.
  func takeSpanBlock(_ sizeClass: SizeClass) -> UInt {
    trimMagazine(sizeClass, to: 0)
    var other = refillFromOwn(sizeClass)
    if other == 0 { other = refillFromEmptySpan(sizeClass) }
    return other
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
        if UInt(span.carvedCount) * UInt(span.blockByteCount) < hotByteCount { _ = carve(span, sizeClass) }
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

  /// Whether a new span of a class would be used. A class with blocks larger than a page gets one once the thread holds
  /// as many blocks of it from arenas as fill half a span. Among many heaps it takes more, up to four spans: there the
  /// half empty spans of all threads together would hold more than the blocks in them. Heaps whose threads ended count.
  private func earnsSpan(_ sizeClass: SizeClass) -> Bool {
    let byteCount = sizeClass.blockByteCount
    guard byteCount > Granule.pageByteCount else { return true }
    let halfSpanCount = min(8, 1 + space.heapCount / 4)
    return UInt(fields.refillCounts[sizeClass.index]) * byteCount >= Granule.byteCount / 2 * halfSpanCount
  }

  /// A block of a class from an arena, 0 when there is no memory. The class's blocks must be larger than a page.
  package func takeFromArena(_ sizeClass: SizeClass, alignment: UInt = 16) -> UInt {
    let block = space.allocateInArena(sizeClass, alignment: alignment, home: &fields.homeArena)
    if block != 0 { fields.refillCounts[sizeClass.index] &+= 1 }
    return block
  }

  /// Notes that this thread returned a block of a class to an arena.
  func noteReturned(_ sizeClass: SizeClass) {
    if fields.refillCounts[sizeClass.index] != 0 { fields.refillCounts[sizeClass.index] &-= 1 }
  }

  /// Makes the span's free list the active one.
  private func activateFree(of span: BlockSpan, _ sizeClass: SizeClass) {
    if sizeClass.hasMagazine {
      // Freed blocks that a larger magazine would have kept.
      raiseLimit(sizeClass)
      noteLoaded(span.freeCount, sizeClass)
    }
    if fields.countdown != 0 { noteActivated(span) }
    setActive(sizeClass, span.free)
    span.free = 0
    awaitEmpty(span, sizeClass, freeCount: 0)
  }
}
