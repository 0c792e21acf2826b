internal import Addresses
internal import FirstFitHeap
package import HeapBlocks
internal import MemoryProtocols
internal import MemoryRegions

// The space's part of a purge: free granules and the holes of the arenas. The descriptors know which pages may have
// memory behind them (`residentPages`); each page is decommitted once.

extension HeapSpace {
  /// Decommits pages of a granule, one bit each.
  package func decommit(pages: UInt16, of granule: Granule) {
    let start = start(of: granule)
    granule.fields.residentPages &= ~pages
    Granule.forEachRun(in: pages) { decommit(start + $0, byteCount: $1) }
  }

  /// Decommits pages that are noted as having no memory. When the system refuses, as it does for pinned pages, they are
  /// noted again: only pages without the mark read as zeros.
  fileprivate func decommit(_ start: UInt, byteCount: UInt) {
    do throws(SystemError) {
      try SystemPages.decommit(start, byteCount: byteCount)
    } catch {
      forEachPageMask(from: start, to: start + byteCount) { granule, _, pages in
        granule.fields.residentPages |= pages
      }
    }
  }

  /// Decommits free granules, a run of them at a time.
  package func purgeGranules() {
    guard lock() else { return }
    defer { unlock() }
    var runStart: UInt = 0
    var number = fields.firstGranule
    let end = committedEnd
    while number <= end {
      var isDirty = false
      if number < end {
        let granule = granule(UInt32(truncatingIfNeeded: number))
        isDirty = granule.use == .free && granule.fields.residentPages != 0
        if isDirty { granule.fields.residentPages = 0 }
      }
      if isDirty, runStart == 0 { runStart = number }
      if !isDirty, runStart != 0 {
        let start = fields.base + runStart * Granule.byteCount
        decommit(start, byteCount: (number - runStart) * Granule.byteCount)
        runStart = 0
      }
      number += 1
    }
  }

  /// Purges the arenas if a purge is due.
  package func purgeArenas(_ occasion: PurgeOccasion) {
    guard lockArenas() else { return }
    defer { unlockArenas() }
    purgeArenasHoldingLock(occasion)
  }

  /// The same with the arenas' lock held. It decommits the whole pages inside holes. Except amid a wave of frees, it
  /// also returns granules that the arenas do not need to the buddy. Amid a wave spans would settle there, and the next
  /// wave of requests would need new granules; a span that finds no other granule gets one of these nevertheless.
  func purgeArenasHoldingLock(_ occasion: PurgeOccasion) {
    let isDue =
      fields.arenaDecay.isDue(
        occasion, heldByteCount: arenaHeldByteCount, minimum: HeapSpace.arenaPurgeMinimum, now: milliseconds)
      || occasion == .free && fields.arenaDecay.freedByteCount > quotaRoom
    guard isDue, fields.ownsMapping, fields.arenaDecay.freedByteCount != 0 else { return }
    fields.arenaDecay.notePurge(heldByteCount: arenaHeldByteCount, now: milliseconds)
    if occasion != .free { cutArenas { purgePages(from: $0.start.raw, to: $0.end.raw) } }
    fields.arena.forEachBlock { block in
      if block.isFree { purgeHole(block.range.start.raw, block.range.end.raw) }
    }
  }

  /// Decommits the pages inside a hole, except for those with first fit's words at its start and at its end.
  private func purgeHole(_ first: UInt, _ end: UInt) {
    let start = SystemPages.rounded(first + BlockLayout.headerByteCount)
    let last = (end - BlockLayout.nodeByteCount) & ~(SystemPages.byteCount - 1)
    if start < last { purgePages(from: start, to: last) }
  }

  /// Decommits those of the pages that have memory, in runs that may span many granules.
  private func purgePages(from start: UInt, to end: UInt) {
    var run = PageRun(space: self)
    forEachPageMask(from: start, to: end) { granule, start, pages in
      Granule.forEachRun(in: pages & granule.fields.residentPages) { run.add(start + $0, byteCount: $1) }
      granule.fields.residentPages &= ~pages
    }
    run.giveBack()
  }

  /// How many bytes the arenas hold as a purge counts them: the blocks in use, and what was freed since the last purge.
  private var arenaHeldByteCount: UInt { fields.arenaUsedByteCount + fields.arenaDecay.freedByteCount }

  private static var arenaPurgeMinimum: UInt { 16 << 20 }
}

/// Adjacent pages to be decommitted by one system call.
private struct PageRun {
  private let space: HeapSpace
  private var start: UInt = 0
  private var end: UInt = 0

  init(space: HeapSpace) { self.space = space }

  /// Adds pages above the present ones. If they are not adjacent, the present ones are decommitted first.
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
