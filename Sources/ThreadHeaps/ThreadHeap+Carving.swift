internal import HeapBlocks
internal import HeapSpaces

// Carving puts the blocks of a span's absent pages onto the active list, a page at a time, lowest first. A block is
// absent while it overlaps an absent page: one that straddles two pages is carved with the later page. Fresh pages and
// purged pages are the same here: the blocks of both are in no list.

extension ThreadHeap {
  /// Carves the blocks of the lowest absent pages of `span` onto its class's active list; false when none are left.
  func carve(_ span: BlockSpan, _ sizeClass: SizeClass) -> Bool {
    let size = UInt32(truncatingIfNeeded: sizeClass.blockByteCount)
    var absent = span.absentPages
    while absent != 0 {
      // The lowest absent page, and the absent pages that the first block over it reaches. The blocks of present pages
      // are on lists or in use.
      let firstPage = UInt32(absent.trailingZeroBitCount)
      let firstBlock = (firstPage << Granule.pageByteShift) / size
      var lastPage = min(Granule.pageCount - 1, (firstBlock &* size &+ size &- 1) >> Granule.pageByteShift)
      if sizeClass.hasMagazine { lastPage += pagesWithMemory(absent, of: span, behind: lastPage) }
      let taken = absent & UInt16(truncatingIfNeeded: (UInt32(2) << lastPage) &- (UInt32(1) << firstPage))
      absent &= ~taken
      span.granule.fields.residentPages |= taken
      // The pages behind the span's last block, if there are any, have no blocks.
      let endOffset = (lastPage + 1) << Granule.pageByteShift
      let endBlock = min((endOffset - 1) / size + 1, UInt32(Granule.byteCount) / size)
      let blocks = firstBlock..<max(firstBlock, endBlock)
      let count = activate(blocks: blocks, of: span, sizeClass, absent: absent, taken: taken)
      if count > 0 {
        if sizeClass.hasMagazine { noteLoaded(Int(count), sizeClass) }
        if fields.countdown != 0 { countdown.loadedCount += Int(count) }
        let freeCount = span.freeCount
        setPresent(span, absentPages: absent)
        span.carvedCount += UInt16(truncatingIfNeeded: count)
        awaitEmpty(span, sizeClass, freeCount: freeCount)
        return true
      }
    }
    setPresent(span, absentPages: 0)
    return false
  }

  /// How many absent pages in a row behind a page have memory of the granule's last use. A class with a magazine takes them
  /// at once: its blocks are few.
  private func pagesWithMemory(_ absent: UInt16, of span: BlockSpan, behind page: UInt32) -> UInt32 {
    let pages = UInt32(absent & span.granule.fields.residentPages)
    return UInt32((~(pages >> (page + 1))).trailingZeroBitCount)
  }

  /// Sets the event of a current span: a class with a magazine gives an empty one up. Any other class allocates from it
  /// next, so that the event, at one more block than there are, never comes.
  func awaitEmpty(_ span: BlockSpan, _ sizeClass: SizeClass, freeCount: Int) {
    span.notify(after: Int(span.carvedCount) + (sizeClass.hasMagazine ? 0 : 1), freeCount: freeCount)
  }

  /// Counts the pages that are no longer absent.
  private func setPresent(_ span: BlockSpan, absentPages: UInt16) {
    let byteCount = Granule.byteCount(ofPages: span.absentPages & ~absentPages)
    span.setAbsentPages(absentPages)
    fields.heldByteCount += byteCount
    fields.decay.noteGrown(byteCount, now: space.milliseconds)
  }

  /// Puts the blocks that overlap a page of `taken` and none of `absent` in front of the active list, in address order.
  /// Returns how many they are.
  private func activate(
    blocks: Range<UInt32>, of span: BlockSpan, _ sizeClass: SizeClass, absent: UInt16, taken: UInt16
  ) -> UInt32 {
    let size = UInt32(truncatingIfNeeded: sizeClass.blockByteCount)
    let start = space.start(of: span.granule)
    var next = active(sizeClass)
    var count: UInt32 = 0
    var number = blocks.upperBound
    while number > blocks.lowerBound {
      number &-= 1
      let offset = number &* size
      let pages = Granule.pageMask(offset: offset, byteCount: size)
      if pages & absent == 0, pages & taken != 0 {
        let block = FreeBlock(start &+ UInt(offset))
        block.next = next
        block.markWord = FreeBlock.mark
        next = block.address
        count &+= 1
      }
    }
    setActive(sizeClass, next)
    return count
  }
}
