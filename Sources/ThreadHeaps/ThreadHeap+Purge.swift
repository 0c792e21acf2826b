package import HeapBlocks
internal import HeapSpaces

// Purges: whole spans, pages inside partly used spans, holes of arenas. Nothing here runs on a thread of its own or on
// the hot path. A slow path names the occasion, and PurgeDecay decides.

extension ThreadHeap {
  /// The least number of freed bytes that makes a purge due at once.
  private static var purgeMinimum: UInt { 1 << 20 }

  /// Tells the decay about the blocks of a span that became free since it was last told.
  func noteFreed(_ span: BlockSpan) {
    let freeCount = UInt16(truncatingIfNeeded: span.freeCount)
    fields.decay.noteFreed(UInt(freeCount &- span.fields.notedCount) &* UInt(span.blockByteCount))
    span.fields.notedCount = freeCount
  }

  /// Tells the decay that the free blocks of a span will be used again.
  func noteReused(_ span: BlockSpan) {
    fields.decay.noteReused(UInt(span.fields.notedCount) &* UInt(span.blockByteCount))
    span.fields.notedCount = 0
  }

  /// Purges this heap's spans if a purge is due. At a pause it also purges the space's arenas if that is due; on demand
  /// also the cache and the arenas. Blocks in batches and on incoming stacks stay.
  package func purge(_ occasion: PurgeOccasion) {
    let isDue = fields.decay.isDue(
      occasion, heldByteCount: fields.heldByteCount, minimum: ThreadHeap.purgeMinimum, now: space.milliseconds)
    if isDue { purgeSpans(occasion) }
    switch occasion {
    case .free, .newThread: break
    case .pause: space.purgeArenas(occasion)
    case .demand:
      flushCache()
      space.purgeArenas(occasion)
    }
  }

  /// Purges this heap's spans, and the space's free granules.
  @inline(never)
  private func purgeSpans(_ occasion: PurgeOccasion) {
    guard space.fields.ownsMapping else { return }
    fields.decay.notePurge(heldByteCount: fields.heldByteCount, now: space.milliseconds)
    releaseEmptySpans()
    for index in 0..<SizeClass.count {
      var granule = fields.available[index]
      while granule != 0 {
        let span = space.span(granule)
        granule = span.fields.next
        if span.use == .availableSpan, isPromising(span, occasion) { purgePages(of: span) }
      }
    }
    space.purgeGranules()
  }

  /// Returns the spans without live blocks to the space. Returns whether the reserve held any.
  @discardableResult
  package func releaseEmptySpans() -> Bool {
    flushMagazines()
    for index in 0..<SizeClass.count { retireCurrentIfEmpty(SizeClass(index: index)) }
    let hadAny = fields.idleSpan != 0
    while let span = popIdleSpan() { space.deallocate(span.granule) }
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
  private func isPromising(_ span: BlockSpan, _ occasion: PurgeOccasion) -> Bool {
    let heldCount = Int(span.carvedCount) - span.freeCount
    let newCount = span.freeCount - Int(span.fields.purgedFreeCount)
    switch occasion {
    case .free, .newThread: guard heldCount <= ThreadHeap.promisingHeldMaximum else { return false }
    case .pause, .demand: break
    }
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

  /// Purges the pages of a span whose blocks are all free, and takes those blocks off its list: they are absent now.
  private func purgePages(of span: BlockSpan) {
    span.fields.purgedFreeCount = UInt16(truncatingIfNeeded: span.freeCount)
    let isFree = FreeBlockMap(of: span, start: space.start(of: span.granule))
    let absent = span.absentPages
    // A page stays if a block that is not free overlaps it.
    var held: UInt16 = 0
    for number in 0..<span.capacity where !isFree[number] { held |= isFree.pages(of: number) }
    let gone = absent | ~held
    guard gone != absent else { return }
    unlistBlocks(over: gone, of: span)
    space.decommit(pages: gone & span.granule.fields.residentPages, of: span.granule)
    fields.heldByteCount -= Granule.byteCount(ofPages: gone & ~absent)
    span.setAbsentPages(gone)
    span.fields.notedCount = UInt16(truncatingIfNeeded: span.freeCount)
    span.fields.purgedFreeCount = span.fields.notedCount
  }

  /// Removes the free blocks that overlap a page of `pages` from a span's list.
  private func unlistBlocks(over pages: UInt16, of span: BlockSpan) {
    var kept: UInt = 0
    var keptCount = 0
    var removedCount = 0
    var block = FreeBlock(span.free)
    while block.address != 0 {
      let next = block.next
      if span.pages(ofBlockAt: block.address) & pages != 0 {
        removedCount += 1
      } else {
        block.next = kept
        kept = block.address
        keptCount += 1
      }
      block = FreeBlock(next)
    }
    span.free = kept
    span.carvedCount -= UInt16(truncatingIfNeeded: removedCount)
    span.notify(after: Int(span.carvedCount), freeCount: keptCount)
  }
}
