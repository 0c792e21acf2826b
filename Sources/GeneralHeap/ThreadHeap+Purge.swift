internal import Addresses
internal import CLabMalloc

// Giving memory back: whole spans, pages inside partly used spans, holes of arenas.
//
// Nothing here runs on a thread of its own or on the hot path: a slow path starts a purge when one is due
// (PurgePace.swift).

extension ThreadHeap {
  /// The least that must be freed for a purge before its time.
  private static var purgeMinimum: UInt { 1 << 20 }

  /// Tells the pace of blocks of a span that became free since it was told last.
  func noteFreed(_ span: Span) {
    let freeCount = UInt16(truncatingIfNeeded: span.freeCount)
    fields.pace.noteFreed(UInt(freeCount &- span.fields.notedCount) &* UInt(span.fields.blockByteCount))
    span.fields.notedCount = freeCount
  }

  /// Tells the pace that the free blocks of a span are to be used again.
  func noteReused(_ span: Span) {
    fields.pace.noteReused(UInt(span.fields.notedCount) &* UInt(span.fields.blockByteCount))
    span.fields.notedCount = 0
  }

  /// Purges when it is due.
  func purgeIfDue() {
    if fields.pace.isDue(heldByteCount: fields.heldByteCount, minimum: ThreadHeap.purgeMinimum) { purge() }
  }

  /// Purges the heap's spans and the arenas if they are due and the delay is over.
  func purgeIfDue(delayMilliseconds: UInt) {
    if fields.pace.isDue(
      heldByteCount: fields.heldByteCount, minimum: ThreadHeap.purgeMinimum, delayMilliseconds: delayMilliseconds)
    {
      purge(heldMaximum: .max)
    }
    space.purgeArenasIfDue(delayMilliseconds: delayMilliseconds)
  }

  /// Gives back all that this heap and its space have free.
  func purgeAll() {
    purge(heldMaximum: .max)
    flushCache()
    space.purgeArenas()
  }

  /// Gives back what this heap's spans have free, and the space's granules; pages of a span only if at most `heldMaximum`
  /// of its blocks are held.
  @inline(never)
  func purge(heldMaximum: Int = ThreadHeap.promisingHeldMaximum) {
    guard space.fields.ownsMapping else { return }
    fields.pace.notePurge(heldByteCount: fields.heldByteCount)
    releaseEmptySpans()
    for index in 0..<SizeClass.count {
      var granule = fields.available[index]
      while granule != 0 {
        let span = space.span(granule)
        granule = span.fields.next
        if span.state == .available, isPromising(span, heldMaximum: heldMaximum) { purgePages(of: span) }
      }
    }
    space.purgeGranules()
  }

  /// Gives the spans of which nobody holds a block to the space; whether there were any.
  @discardableResult
  func releaseEmptySpans() -> Bool {
    flushStacks()
    for index in 0..<SizeClass.count { retireCurrentIfEmpty(index) }
    let hadAny = fields.idleSpan != 0
    while fields.idleSpan != 0 {
      let span = space.span(fields.idleSpan)
      fields.idleSpan = span.fields.next
      fields.idleCount -= 1
      space.deallocateGranules(span, .min)
    }
    return hadAny
  }

  /// How many blocks of a span may be held for a purge to look at it when it has no time to spare. Of 16 pages with h
  /// blocks held here and there, 16 exp(-h / 16) are free on average: a quarter of one at 66.
  private static var promisingHeldMaximum: Int { 66 }

  /// Whether a walk along the free blocks of a span may find pages to give back: not when more than `heldMaximum` blocks
  /// are held, and not before an eighth of those that the last walk found held was freed.
  private func isPromising(_ span: Span, heldMaximum: Int) -> Bool {
    let heldCount = Int(span.carvedCount) - span.freeCount
    let newCount = span.freeCount - Int(span.fields.purgedFreeCount)
    return heldCount <= heldMaximum && (newCount < 0 || newCount * 8 > heldCount + newCount)
  }

  /// Puts the current span of a class away when nobody holds a block of it.
  private func retireCurrentIfEmpty(_ index: Int) {
    guard fields.current[index] != 0 else { return }
    let span = space.span(fields.current[index])
    guard Int(activeCount(index, in: span)) + span.freeCount == Int(span.carvedCount) else { return }
    fields.active[index] = 0
    fields.current[index] = 0
    fields.heldByteCount -= span.presentByteCount
    span.fields.free = 0
    span.absentPages = .max
    span.fields.notedCount = 0
    span.carvedCount = 0
    span.await(0, freeCount: 0)
    retire(span)
  }

  /// How many blocks the active list of a class has, all of `span`, its current one.
  ///
  /// Another thread may ask too. The heap's own may pop blocks meanwhile, and their holders write to them: a word that
  /// is no block of the span, or a block without the mark of a free one, ends the count. The span's memory can be read
  /// whatever happens to it.
  func activeCount(_ index: Int, in span: Span) -> UInt {
    let start = space.start(of: span)
    let most = UInt(span.carvedCount)
    var count: UInt = 0
    var block = FreeBlock(fields.active[index])
    while count < most, block.address &- start < Span.byteCount, ThreadHeap.isAnyBlockStart(block.address, of: span),
      block.markWord == FreeBlock.mark
    {
      count += 1
      block = FreeBlock(block.next)
    }
    return count
  }

  /// Gives back the pages of a span whose blocks are all free, and takes those blocks off its list: they are absent.
  private func purgePages(of span: Span) {
    span.fields.purgedFreeCount = UInt16(truncatingIfNeeded: span.freeCount)
    let size = span.fields.blockByteCount
    let start = space.start(of: span)
    let isFree = FreeBlockMap(of: span, start: start)
    let absent = span.absentPages
    // A page goes unless a block that someone holds overlaps it.
    var held: UInt16 = 0
    for number in 0..<span.capacity where !isFree[number] { held |= isFree.pages(of: number) }
    let gone = absent | ~held
    guard gone != absent else { return }
    unlistBlocks(over: gone, of: span, start: start, size: size)
    space.decommit(pages: gone & span.fields.residentPages, of: span)
    fields.heldByteCount -= UInt((gone & ~absent).nonzeroBitCount) << 12
    span.absentPages = gone
    span.fields.notedCount = UInt16(truncatingIfNeeded: span.freeCount)
    span.fields.purgedFreeCount = span.fields.notedCount
    span.fields.reciprocalBound = 0
  }

  /// Takes the free blocks that overlap a page of `pages` off a span's list.
  private func unlistBlocks(over pages: UInt16, of span: Span, start: UInt, size: UInt32) {
    var kept: UInt = 0
    var keptCount = 0
    var removedCount = 0
    var block = FreeBlock(span.fields.free)
    while block.address != 0 {
      let next = block.next
      if ThreadHeap.pageMask(UInt32(truncatingIfNeeded: block.address &- start), size) & pages != 0 {
        removedCount += 1
      } else {
        block.next = kept
        kept = block.address
        keptCount += 1
      }
      block = FreeBlock(next)
    }
    span.fields.free = kept
    span.carvedCount -= UInt16(truncatingIfNeeded: removedCount)
    span.await(Int(span.carvedCount), freeCount: keptCount)
  }
}
