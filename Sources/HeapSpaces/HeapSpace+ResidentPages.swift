internal import CLabPlatform
internal import FirstFitHeap

// Which pages of the arenas may have memory behind them: those that a block or first fit's own words touched. All
// others read as zeros and need neither zeroing nor decommitting.

extension HeapSpace {
  /// Notes that the pages of a new block may be touched from now on, with the arena's lock held: those in granules that
  /// other blocks may share. Zeroes the block's part of these granules if `zeroed`. The rest follows in `openInside`.
  func openEdges(of address: UInt, _ byteCount: UInt, zeroed: Bool) {
    let inside = inside(address, byteCount)
    let end = address + byteCount
    if zeroed {
      zero(address, min(inside.lowerBound, end) - address)
      zero(inside.upperBound, end - min(inside.upperBound, end))
    }
    let own = address..<end
    if inside.isEmpty {
      markResident(around: own, from: HeapSpace.start(around: own), to: HeapSpace.end(around: own))
    } else {
      markResident(around: own, from: HeapSpace.start(around: own), to: inside.lowerBound)
      markResident(around: own, from: inside.upperBound, to: HeapSpace.end(around: own))
    }
  }

  /// The same for the granules inside a block, which are the block's alone: without a lock, since there may be many.
  func openInside(of address: UInt, _ byteCount: UInt, zeroed: Bool) {
    let inside = inside(address, byteCount)
    if zeroed { zero(inside.lowerBound, inside.upperBound - inside.lowerBound) }
    var granule = inside.lowerBound
    while granule < inside.upperBound {
      granuleUnchecked(around: granule).fields.residentPages = .max
      granule &+= Granule.byteCount
    }
  }

  /// The whole granules of a block, in which first fit writes nothing for its neighbours. Empty at the block's end if
  /// there are none.
  private func inside(_ address: UInt, _ byteCount: UInt) -> Range<UInt> {
    let first = (address + Granule.byteCount - 1) & ~(Granule.byteCount - 1)
    let last = (address + byteCount - BlockLayout.nodeByteCount) & ~(Granule.byteCount - 1)
    return first < last ? first..<last : address + byteCount..<address + byteCount
  }

  /// Notes that pages of a block, which is in use, may be touched from now on, and the pages that first fit writes to
  /// around them.
  func markResident(_ address: UInt, _ byteCount: UInt) {
    let own = address..<address + byteCount
    markResident(around: own, from: HeapSpace.start(around: own), to: HeapSpace.end(around: own))
  }

  /// Where the words begin and end that first fit writes around a block: the node of a hole that an alignment may have left
  /// in front, the block's header, and the header of the next block. The header of that hole needs no note: it lies where
  /// the block's former hole began, on a page noted already.
  private static func start(around own: Range<UInt>) -> UInt {
    own.lowerBound - BlockLayout.headerByteCount - BlockLayout.nodeByteCount
  }
  private static func end(around own: Range<UInt>) -> UInt { own.upperBound + BlockLayout.headerByteCount }

  /// Notes the pages from `start` to `end`. Those outside of the block, `own`, may be in granules of others.
  private func markResident(around own: Range<UInt>, from start: UInt, to end: UInt) {
    var granuleStart = start & ~(Granule.byteCount - 1)
    while granuleStart < end {
      let granuleEnd = granuleStart &+ Granule.byteCount
      let isOwn = own.lowerBound < granuleEnd && granuleStart < own.upperBound
      let granule = isOwn ? granuleUnchecked(around: granuleStart) : granule(around: granuleStart)
      if let granule, isOwn || granule.use == .arena {
        granule.fields.residentPages |= Granule.pageMask(
          from: max(start, granuleStart) &- granuleStart, to: min(end, granuleEnd) &- granuleStart)
      }
      granuleStart = granuleEnd
    }
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
    // An empty range in the middle of a granule has no part of it: others may change that granule meanwhile.
    guard start < end else { return }
    var granuleStart = start & ~(Granule.byteCount - 1)
    while granuleStart < end {
      let first = max(start, granuleStart)
      let byteCount = min(end, granuleStart + Granule.byteCount) - first
      if let granule = granule(around: granuleStart) {
        let offset = first - granuleStart
        let pages = Granule.pageMask(from: offset, to: offset + byteCount)
        body(granule, granuleStart, pages)
      }
      granuleStart += Granule.byteCount
    }
  }
}
