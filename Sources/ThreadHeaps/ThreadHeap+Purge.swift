package import HeapBlocks
internal import HeapSpaces

// Purges: whole spans, and pages inside partly used spans. Nothing here runs on a thread of its own or on the hot path. A
// slow path names the occasion, and PurgeDecay decides.
//
// A purge works in pieces, one at each slow path that finds it under way: no call pays for more than a piece, however
// much the heap holds. Between the pieces the heap goes on as ever. The purge visits the spans with free blocks class by
// class, and then the class's current span; `purgeSpan` is the next one, and moves on when that span leaves its list.

extension ThreadHeap {
  /// The least number of freed bytes that makes a purge due at once: of all heaps together, and of one among many.
  private static var purgeMinimumOfAll: UInt { 1 << 20 }
  private static var purgeMinimumOfOne: UInt { 64 << 10 }
  private var purgeMinimum: UInt { max(ThreadHeap.purgeMinimumOfOne, ThreadHeap.purgeMinimumOfAll / space.heapCount) }
  /// The most bytes that one call returns to the system, and the most free blocks and spans that it walks along.
  private static var purgeByteMaximum: UInt { 256 << 10 }
  private static var purgeBlockMaximum: Int { 1 << 10 }
  private static var purgeSpanMaximum: Int { 64 }

  /// Tells the decay about the blocks of a span that became free since it was last told.
  func noteFreed(_ span: BlockSpan) {
    let freeCount = UInt16(truncatingIfNeeded: span.freeCount)
    let newCount = freeCount - min(span.fields.notedCount, freeCount)
    fields.decay.noteFreed(UInt(newCount) &* UInt(span.blockByteCount))
    span.fields.notedCount = freeCount
  }

  /// Tells the decay that the free blocks of a span will be used again.
  func noteReused(_ span: BlockSpan) {
    fields.decay.noteReused(UInt(span.fields.notedCount) &* UInt(span.blockByteCount))
    span.fields.notedCount = 0
  }

  /// Goes on with a purge of this heap's spans, or begins one if it is due, and one of the free granules with it: the
  /// space compares those with all granules in use, which may hold little. At a pause the arenas follow. On demand all is
  /// purged, to the end. Blocks in batches and on incoming stacks stay.
  package func purge(_ occasion: PurgeOccasion) {
    // What is fixed has nothing to return, and a look at the decay would take locks.
    if space.isWhollyFixed, occasion != .demand { return }
    let hasBegun = purgeSpans(occasion)
    switch occasion {
    case .free, .newThread: break
    case .pause: space.purgeArenas(occasion)
    case .demand:
      flushCache()
      space.purgeArenas(occasion)
    }
    space.purgeGranules(occasion, begin: hasBegun)
  }

  /// Goes on with a purge of this heap's spans, or begins one if it is due. Returns whether one began.
  private func purgeSpans(_ occasion: PurgeOccasion) -> Bool {
    // A purge under way is not begun again: it would never reach the last classes.
    let isDue =
      (fields.purgeClass == 0 || occasion == .demand)
      && fields.decay.isDue(
        occasion, heldByteCount: fields.heldByteCount, minimum: purgeMinimum, now: space.milliseconds)
    if isDue { beginPurge(occasion) }
    if fields.purgeClass != 0 { continuePurge(occasion) }
    return isDue
  }

  /// Returns to the space what a heap keeps that nobody works on.
  package func purgeIdle() {
    gatherIdle()
    _ = purgeSpans(.demand)
  }

  /// Makes a purge find the blocks that lie in the cache, in batches, and on incoming stacks.
  package func gatherIdle() {
    collectIncoming()
    flushOutgoing()
    flushCache()
  }

  /// Whether a purge of this heap's spans is under way.
  package var isPurging: Bool { fields.purgeClass != 0 }

  private func beginPurge(_ occasion: PurgeOccasion) {
    guard space.mayPurge(occasion) else { return }
    fields.decay.notePurge(heldByteCount: fields.heldByteCount, now: space.milliseconds)
    releaseEmptySpans()
    switch occasion {
    case .free, .newThread: fields.purgeIsThorough = false
    case .pause, .demand: fields.purgeIsThorough = true
    }
    fields.purgeClass = 1
    fields.purgeSpan = fields.available[0]
  }

  /// Purges spans with free blocks class by class, and after those of a class its current span, until a piece is done.
  @inline(never)
  private func continuePurge(_ occasion: PurgeOccasion) {
    let held = fields.heldByteCount
    defer { fields.decay.notePurged(held - min(held, fields.heldByteCount)) }
    var blockCount = 0
    var spanCount = 0
    while fields.purgeClass != 0 {
      if let span = nextToPurge() {
        spanCount += 1
        if isPromising(span) {
          blockCount += span.freeCount
          purgePages(of: span)
          if span.use == .currentSpan { noteCurrent(span) }
        }
      }
      let isEnough =
        spanCount >= ThreadHeap.purgeSpanMaximum || blockCount >= ThreadHeap.purgeBlockMaximum
        || held - min(held, fields.heldByteCount) >= ThreadHeap.purgeByteMaximum
      if isEnough, occasion != .demand { return }
    }
  }

  /// The next span that the purge visits, and nil at the end of a class that has no current span. Behind a class's last
  /// span, `purgeClass` is the next class's, or 0 when the purge is over.
  private func nextToPurge() -> BlockSpan? {
    if fields.purgeSpan != 0 {
      let span = space.span(fields.purgeSpan)
      fields.purgeSpan = span.fields.next
      return span
    }
    let current = current(SizeClass(index: Int(fields.purgeClass) - 1))
    if Int(fields.purgeClass) < SizeClass.count {
      fields.purgeSpan = fields.available[Int(fields.purgeClass)]
      fields.purgeClass += 1
    } else {
      fields.purgeClass = 0
    }
    return current == 0 ? nil : space.span(current)
  }

  /// Makes a span that was purged a current one again: its event is another, and the decay counts none of its free blocks.
  private func noteCurrent(_ span: BlockSpan) {
    span.fields.notedCount = 0
    awaitEmpty(span, span.sizeClass, freeCount: span.freeCount)
  }

  /// Returns the spans without live blocks to the space. Returns whether the reserve held any.
  @discardableResult
  package func releaseEmptySpans() -> Bool {
    flushMagazines()
    for index in 0..<SizeClass.count { retireCurrentIfEmpty(SizeClass(index: index)) }
    let hadAny = fields.idleSpan != 0
    while let span = popIdleSpan() { release(span) }
    return hadAny
  }

  /// Pops the span that was retired last off the reserve.
  func popIdleSpan() -> BlockSpan? {
    guard fields.idleSpan != 0 else { return nil }
    let span = space.span(fields.idleSpan)
    fields.idleSpan = span.fields.next
    fields.idleCount -= 1
    return span
  }

  /// The most held blocks of a span for which a purge in a hurry looks at it. Of 16 pages with h blocks held here and
  /// there, 16 exp(-h / 16) are free on average: a quarter of a page at h = 66.
  private static var promisingHeldMaximum: Int { 66 }

  /// Whether a walk along the free blocks of a span may find pages to purge: not with too many blocks held, and not
  /// before an eighth of the blocks was freed that the last walk found held.
  private func isPromising(_ span: BlockSpan) -> Bool {
    let heldCount = Int(span.carvedCount) - span.freeCount
    let newCount = span.freeCount - Int(span.fields.purgedFreeCount)
    guard fields.purgeIsThorough || heldCount <= ThreadHeap.promisingHeldMaximum else { return false }
    return newCount < 0 || newCount * 8 > heldCount + newCount
  }

  /// Retires the current span of a class if it has no live blocks.
  private func retireCurrentIfEmpty(_ sizeClass: SizeClass) {
    guard current(sizeClass) != 0 else { return }
    let span = space.span(current(sizeClass))
    guard Int(activeCount(sizeClass, in: span)) + span.freeCount == Int(span.carvedCount) else { return }
    setActive(sizeClass, 0)
    setCurrent(sizeClass, 0)
    fields.heldByteCount -= span.presentByteCount
    span.free = 0
    span.setAbsentPages(.max)
    span.fields.notedCount = 0
    span.carvedCount = 0
    span.notify(after: 0, freeCount: 0)
    retire(span)
  }

  /// Retires the current span of a class with a magazine, all of whose blocks are on its free list.
  func retireEmptyCurrent(_ span: BlockSpan) {
    setCurrent(span.sizeClass, 0)
    noteFreed(span)
    retire(span)
  }
}
