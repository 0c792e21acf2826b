internal import Addresses
internal import FirstFitHeap
internal import MemoryProtocols
internal import MemoryRegions

// The space's part of a purge: granules that nobody holds, and the holes of the arenas. Which pages may have memory
// behind them the descriptors know (`residentPages`), so that a page is given back once.

extension HeapSpace {
  /// Gives back pages of a granule, one bit each.
  func decommit(pages: UInt16, of span: Span) {
    let start = start(of: span)
    span.fields.residentPages &= ~pages
    HeapSpace.forEachRun(in: pages) { decommit(start + $0, byteCount: $1) }
  }

  /// Gives back the memory of pages that are marked as having none. Where the system refuses, as it does for pinned
  /// pages, they are marked again: what reads as zeros is only what is not.
  fileprivate func decommit(_ start: UInt, byteCount: UInt) {
    if (try? SystemPages.decommit(start, byteCount: byteCount)) != nil { return }
    forEachPageMask(from: start, to: start + byteCount) { span, _, pages in span.fields.residentPages |= pages }
  }

  /// Visits the runs of pages among those of a granule, one bit each: a run's offset in the granule and its size, in bytes.
  @inline(__always)
  static func forEachRun(in pages: UInt16, _ body: (UInt, UInt) -> Void) {
    var rest = UInt32(pages)
    while rest != 0 {
      let first = UInt32(rest.trailingZeroBitCount)
      let count = UInt32((~(rest >> first)).trailingZeroBitCount)
      rest &= ~(((1 << count) - 1) << first)
      body(UInt(first) << 12, UInt(count) << 12)
    }
  }

  /// Gives back the memory of granules that nobody holds, runs of them at a time.
  func purgeGranules() {
    guard HeapLock.acquire(at: address) else { return }
    defer { HeapLock.release(at: address) }
    var runStart: UInt = 0
    var granule = fields.firstGranule
    let end = committedEnd
    while granule <= end {
      var isDirty = false
      if granule < end {
        let span = span(UInt32(truncatingIfNeeded: granule))
        isDirty = span.state == .idle && span.fields.residentPages != 0
        if isDirty { span.fields.residentPages = 0 }
      }
      if isDirty, runStart == 0 { runStart = granule }
      if !isDirty, runStart != 0 {
        let start = fields.base + runStart * Span.byteCount
        decommit(start, byteCount: (granule - runStart) * Span.byteCount)
        runStart = 0
      }
      granule += 1
    }
  }

  /// Gives back what the arenas have free.
  func purgeArenas() {
    guard HeapLock.acquire(at: arenaLock) else { return }
    defer { HeapLock.release(at: arenaLock) }
    purgeArenasHoldingLock(cutting: true)
  }

  /// Gives it back if so much was freed that it must go at once, be it for the quota; with the arenas' lock held.
  func purgeArenasIfDueHoldingLock() {
    if fields.arenaPace.isDue(heldByteCount: arenaHeldByteCount, minimum: HeapSpace.arenaPurgeMinimum)
      || fields.arenaPace.freedByteCount > quotaRoom
    {
      purgeArenasHoldingLock(cutting: false)
    }
  }

  /// Gives it back if it should go, the last time being so long ago.
  func purgeArenasIfDue(delayMilliseconds: UInt) {
    guard HeapLock.acquire(at: arenaLock) else { return }
    defer { HeapLock.release(at: arenaLock) }
    let isDue = fields.arenaPace.isDue(
      heldByteCount: arenaHeldByteCount, minimum: HeapSpace.arenaPurgeMinimum, delayMilliseconds: delayMilliseconds)
    if isDue { purgeArenasHoldingLock(cutting: true) }
  }

  /// Gives back the memory of whole pages inside the arenas' holes, and, if `cutting`, the granules that the arenas do
  /// not need. Not in the middle of a wave of frees, since spans would settle in them and the next wave would need new
  /// ones; when spans find none elsewhere they get them all the same.
  private func purgeArenasHoldingLock(cutting: Bool) {
    guard fields.ownsMapping, fields.arenaPace.freedByteCount != 0 else { return }
    fields.arenaPace.notePurge(heldByteCount: arenaHeldByteCount)
    if cutting { cutArenas { purgePages(from: $0.start.raw, to: $0.end.raw) } }
    fields.arena.forEachBlock { block in
      if block.isFree { purgeHole(block.range.start.raw, block.range.end.raw) }
    }
  }

  /// Gives back the pages inside a hole, but for what the heap keeps at its start and at its end.
  private func purgeHole(_ first: UInt, _ end: UInt) {
    let start = (first + BlockLayout.headerByteCount + 4095) & ~4095
    let last = (end - BlockLayout.nodeByteCount) & ~4095
    if start < last { purgePages(from: start, to: last) }
  }

  /// Gives back pages: runs of those that have memory, however many granules they span.
  private func purgePages(from start: UInt, to end: UInt) {
    var run = PageRun(space: self)
    forEachPageMask(from: start, to: end) { span, granule, pages in
      HeapSpace.forEachRun(in: pages & span.fields.residentPages) { run.add(granule + $0, byteCount: $1) }
      span.fields.residentPages &= ~pages
    }
    run.giveBack()
  }

  /// What the arenas hold as far as a purge is concerned: the blocks, and what was freed since the last one.
  private var arenaHeldByteCount: UInt { fields.arenaUsedByteCount + fields.arenaPace.freedByteCount }

  private static var arenaPurgeMinimum: UInt { 16 << 20 }
}

/// Pages in a row that are to be given back with one system call.
private struct PageRun {
  private let space: HeapSpace
  private var start: UInt = 0
  private var end: UInt = 0

  init(space: HeapSpace) { self.space = space }

  /// Adds pages above those there are; when they do not follow these, these are given back first.
  mutating func add(_ page: UInt, byteCount: UInt) {
    if page != end {
      giveBack()
      start = page
    }
    end = page + byteCount
  }

  func giveBack() {
    if end != start { space.decommit(start, byteCount: end - start) }
  }
}
