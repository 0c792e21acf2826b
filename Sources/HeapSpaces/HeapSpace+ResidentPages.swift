internal import CLabPlatform
internal import FirstFitHeap

// Which pages of the arenas may have memory behind them: those that a block or first fit's own records touched. The others
// read as zeros and need not be zeroed, nor given back.

extension HeapSpace {
  /// Notes that a block's pages may be touched from now on, and those of what first fit writes around it: its header,
  /// the node of a hole that an alignment may have left in front of it, and the header of what follows. The header of that
  /// hole lies where the hole began that the block was cut from, on a page that is noted already.
  func markResident(_ address: UInt, _ byteCount: UInt) {
    let start = address - BlockLayout.headerByteCount - BlockLayout.nodeByteCount
    let end = address + byteCount + BlockLayout.headerByteCount
    // The granules inside are whole, and the arena's.
    var granule = (start | (Granule.byteCount - 1)) &+ 1
    while granule &+ Granule.byteCount <= end {
      granuleUnchecked(around: granule).fields.residentPages = .max
      granule &+= Granule.byteCount
    }
    let firstEnd = min(end, (start | (Granule.byteCount - 1)) &+ 1)
    markResident(from: start, to: firstEnd)
    if granule < end, granule >= firstEnd { markResident(from: granule, to: end) }
  }

  /// The same for a part of one granule, which need not be the arena's.
  private func markResident(from start: UInt, to end: UInt) {
    guard let granule = granule(around: start), granule.use == .arena else { return }
    granule.fields.residentPages |= Granule.pageMask(
      offset: UInt32(truncatingIfNeeded: start & (Granule.byteCount - 1)),
      byteCount: UInt32(truncatingIfNeeded: end - start))
  }

  /// Zeroes those pages of a block that may have memory behind them; the others are zero.
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

  /// Visits the granules that a range of addresses overlaps: the granule, its first address, and the pages of the range,
  /// one bit each.
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
