internal import HeapBlocks
internal import HeapSpaces

// Pages of partly used spans.

extension ThreadHeap {
  /// Purges the pages of a span whose blocks are all free, and takes those blocks off its list: they are absent now.
  func purgePages(of span: BlockSpan) {
    if span.hasSamples { space.endFreedSamples(of: span) }
    span.fields.purgedFreeCount = UInt16(truncatingIfNeeded: span.freeCount)
    let absent = span.absentPages
    // A page stays if a block that is not free overlaps it.
    let isFree = FreeBlockMap(of: span, start: space.start(of: span.granule))
    let gone = absent | ~isFree.heldPages
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
