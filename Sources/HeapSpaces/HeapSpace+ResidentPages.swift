internal import CLabPlatform
internal import FirstFitHeap

// Which pages of the arenas may have memory behind them: those that a block or first fit's own words touched. All
// others read as zeros and need neither zeroing nor decommitting.

extension HeapSpace {
  /// Notes that a block's pages may be touched from now on, and the pages that first fit writes to around it: the
  /// block's header, the node of a hole that an alignment may have left in front, and the header of the next block. The
  /// header of that hole needs no note: it lies where the block's former hole began, on a page noted already.
  func markResident(_ address: UInt, _ byteCount: UInt) {
    let start = address - BlockLayout.headerByteCount - BlockLayout.nodeByteCount
    let end = address + byteCount + BlockLayout.headerByteCount
    // The granules inside are whole, and part of the arena.
    var granule = (start | (Granule.byteCount - 1)) &+ 1
    while granule &+ Granule.byteCount <= end {
      granuleUnchecked(around: granule).fields.residentPages = .max
      granule &+= Granule.byteCount
    }
    let firstEnd = min(end, (start | (Granule.byteCount - 1)) &+ 1)
    markResident(from: start, to: firstEnd)
    if granule < end, granule >= firstEnd { markResident(from: granule, to: end) }
  }

  /// The same for a part of one granule, which need not belong to the arena.
  private func markResident(from start: UInt, to end: UInt) {
    guard let granule = granule(around: start), granule.use == .arena else { return }
    granule.fields.residentPages |= Granule.pageMask(
      offset: UInt32(truncatingIfNeeded: start & (Granule.byteCount - 1)),
      byteCount: UInt32(truncatingIfNeeded: end - start))
  }

  /// Zeroes the pages of a block that may have memory behind them; the others are zero.
  func zero(_ address: UInt, _ byteCount: UInt) {
    let end = address + byteCount
    forEachPageMask(from: address, to: end) { granule, start, pages in
      Granule.forEachRun(in: pages & granule.fields.residentPages) { offset, byteCount in
        let from = max(address, start + offset)
        let to = min(end, start + offset + byteCount)
        lab_platform_zero(from, to - from)
      }
    }
  }

  /// Visits the granules that overlap a range of addresses: each granule, its first address, and the pages of the range
  /// in it, one bit each.
  func forEachPageMask(from start: UInt, to end: UInt, _ body: (Granule, UInt, UInt16) -> Void) {
    var granuleStart = start & ~(Granule.byteCount - 1)
    while granuleStart < end {
      let first = max(start, granuleStart)
      let byteCount = min(end, granuleStart + Granule.byteCount) - first
      if let granule = granule(around: granuleStart) {
        let pages = Granule.pageMask(
          offset: UInt32(truncatingIfNeeded: first - granuleStart), byteCount: UInt32(truncatingIfNeeded: byteCount))
        body(granule, granuleStart, pages)
      }
      granuleStart += Granule.byteCount
    }
  }
}
