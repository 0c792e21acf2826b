internal import CLabMalloc

// Carving puts the blocks of a span's absent pages onto the active list, a page at a time, lowest first. A block is
// absent as long as it overlaps an absent page, so that one that straddles two pages is carved with the later one. A
// fresh span and one whose pages were given back are the same to this: pages whose blocks are in no list.

extension ThreadHeap {
  /// Carves blocks of the lowest absent pages of `span` onto its class's active list; false when none are left.
  func carve(_ span: Span, _ sizeClass: SizeClass) -> Bool {
    let size = UInt32(truncatingIfNeeded: sizeClass.blockByteCount)
    let start = space.start(of: span)
    var absent = span.absentPages
    while absent != 0 {
      // The lowest absent page, and the absent ones as far as the first block over it reaches. Blocks of pages that are
      // not absent are on lists or live.
      let firstPage = UInt32(absent.trailingZeroBitCount)
      let firstBlock = (firstPage << 12) / size
      let lastPage = min(15, (firstBlock &* size &+ size &- 1) >> 12)
      let taken = absent & UInt16(truncatingIfNeeded: (UInt32(2) << lastPage) &- (UInt32(1) << firstPage))
      absent &= ~taken
      span.fields.residentPages |= taken
      let count = activate(
        span, blocks: firstBlock, upTo: ((lastPage + 1) << 12 - 1) / size, size: size, start: start, absent: absent,
        taken: taken)
      if count > 0 {
        if hasStack(sizeClass.index) { noteStacked(Int(count), sizeClass.index) }
        let freeCount = span.freeCount
        setPresent(span, absentPages: absent)
        span.carvedCount += UInt16(truncatingIfNeeded: count)
        // One more than there are: an empty current span is no event, its class allocates from it next.
        span.await(Int(span.carvedCount) + 1, freeCount: freeCount)
        return true
      }
    }
    setPresent(span, absentPages: 0)
    return false
  }

  /// Counts the pages in that are absent no more.
  private func setPresent(_ span: Span, absentPages: UInt16) {
    let byteCount = UInt((span.absentPages & ~absentPages).nonzeroBitCount) << 12
    span.absentPages = absentPages
    if absentPages == 0 { span.fields.reciprocalBound = span.fields.reciprocal }
    fields.heldByteCount += byteCount
    fields.pace.noteGrown(byteCount)
  }

  /// Puts those of the blocks `first` to `last` that overlap a page of `taken` and none of `absent` in front of the
  /// active list, in address order, and says how many they are.
  private func activate(
    _ span: Span, blocks first: UInt32, upTo last: UInt32, size: UInt32, start: UInt, absent: UInt16, taken: UInt16
  ) -> UInt32 {
    let index = Int(span.fields.sizeClass)
    var next = fields.active[index]
    var count: UInt32 = 0
    var number = min(last, (UInt32(Span.byteCount) / size) &- 1) &+ 1
    while number > first {
      number &-= 1
      let offset = number &* size
      let pages = ThreadHeap.pageMask(offset, size)
      if pages & absent == 0, pages & taken != 0 {
        let block = FreeBlock(start &+ UInt(offset))
        block.next = next
        block.markWord = FreeBlock.mark
        next = block.address
        count &+= 1
      }
    }
    fields.active[index] = next
    return count
  }

  /// The pages that `size` bytes from `offset` overlap.
  static func pageMask(_ offset: UInt32, _ size: UInt32) -> UInt16 {
    let first = offset >> 12
    let last = (offset &+ size &- 1) >> 12
    return UInt16(truncatingIfNeeded: (UInt32(2) << last) &- (UInt32(1) << first))
  }
}
