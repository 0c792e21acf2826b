internal import Addresses
internal import FirstFitHeap

// The space's part of a purge: granules that nobody holds, and the holes of the arenas. Which pages may have memory
// behind them the descriptors know (`residentPages`), so that a page is given back once.

extension HeapSpace {
  /// Gives back pages of a granule, one bit each.
  func decommit(pages: UInt16, of span: Span) {
    var rest = UInt32(pages)
    while rest != 0 {
      let first = UInt32(rest.trailingZeroBitCount)
      let count = UInt32((~(rest >> first)).trailingZeroBitCount)
      SystemPages.decommit(start(of: span) + UInt(first) << 12, byteCount: UInt(count) << 12)
      rest &= ~(((1 << count) - 1) << first)
    }
    span.fields.residentPages &= ~pages
  }

  /// Gives back the memory of granules that nobody holds, runs of them at a time.
  func purgeGranules() {
    guard HeapLock.acquire(at: address) else { return }
    defer { HeapLock.release(at: address) }
    var runStart: UInt = 0
    var granule = fields.firstGranule
    let end = fields.committedEnd
    while granule <= end {
      var isDirty = false
      if granule < end {
        let span = span(UInt32(truncatingIfNeeded: granule))
        isDirty = span.fields.kind == .none && span.fields.state == .idle && span.fields.residentPages != 0
        if isDirty { span.fields.residentPages = 0 }
      }
      if isDirty, runStart == 0 { runStart = granule }
      if !isDirty, runStart != 0 {
        let start = fields.base + runStart * Span.byteCount
        SystemPages.decommit(start, byteCount: (granule - runStart) * Span.byteCount)
        runStart = 0
      }
      granule += 1
    }
  }

  /// Gives back the memory of whole pages inside the arenas' holes, when enough was freed there.
  func purgeArenas() {
    guard fields.arenaFreedByteCount != 0, HeapLock.acquire(at: arenaLock) else { return }
    defer { HeapLock.release(at: arenaLock) }
    fields.arenaFreedByteCount = 0
    fields.arena.forEachBlock { block in
      if block.isFree { purgeHole(block.range.start.raw, block.range.end.raw) }
    }
  }

  /// Gives back the pages inside a hole, but for what the heap keeps at its start and at its end.
  private func purgeHole(_ first: UInt, _ end: UInt) {
    var page = (first + BlockLayout.headerByteCount + 4095) & ~4095
    let last = (end - BlockLayout.nodeByteCount) & ~4095
    while page < last {
      guard let span = span(containing: page) else { return }
      let granuleEnd = (page & ~(Span.byteCount - 1)) + Span.byteCount
      let from = page >> 12 & 15
      let to = (min(last, granuleEnd) - 1) >> 12 & 15
      let pages = UInt16(truncatingIfNeeded: (UInt32(2) << UInt32(to)) - (UInt32(1) << UInt32(from)))
      decommit(pages: pages & span.fields.residentPages, of: span)
      page = granuleEnd
    }
  }

  /// Whether an eighth of what the arenas hold, and at least 4 MiB, was freed and not used again.
  var hasFreedInArenas: Bool {
    fields.arenaFreedByteCount > max(4 << 20, fields.arenaUsedByteCount / 8)
  }

  /// Whether so much was freed in the arenas that a purge is due before its time: a quarter of what is in use there, or
  /// what exceeds the quota together with what counts against it.
  var isArenaPurgeDue: Bool {
    let freed = fields.arenaFreedByteCount
    if freed > max(16 << 20, fields.arenaUsedByteCount / 4) { return true }
    let quota = fields.quotaByteCount
    return quota != .max && freed > quota - min(fields.usedByteCount, quota)
  }
}
