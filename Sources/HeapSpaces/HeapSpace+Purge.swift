internal import Addresses
internal import BuddyFrames
package import HeapBlocks
internal import MemoryProtocols
internal import MemoryRegions

// The space's part of a purge: free granules. The descriptors know which pages may have memory behind them
// (`residentPages`); each page is decommitted once. As in arenas, a purge works in pieces, and the granules of a piece are
// allocated while the system works, without the lock.

extension HeapSpace {
  /// The most bytes that one call returns to the system, and the most descriptors that it looks at.
  private static var purgeByteMaximum: UInt { 256 << 10 }
  private static var purgeGranuleMaximum: UInt { 512 }
  /// The least number of freed bytes that makes a purge due at once.
  private static var purgeMinimum: UInt { 1 << 20 }

  /// Decommits pages of a granule, one bit each.
  package func decommit(pages: UInt16, of granule: Granule) {
    let start = start(of: granule)
    granule.fields.residentPages &= ~pages
    Granule.forEachRun(in: pages) { decommit(start + $0, byteCount: $1) }
  }

  /// Decommits pages that are noted as having no memory, and notes those again that stay. The granules must be the
  /// caller's.
  private func decommit(_ start: UInt, byteCount: UInt) {
    noteStayed(of: start, byteCount: byteCount, but: decommitted(start, byteCount: byteCount))
  }

  /// Decommits pages, and returns those that went. Where the system's pages are larger, those that belong to the run only
  /// in part stay. All stay when the system refuses, as it does for pinned pages: the range is then empty.
  func decommitted(_ start: UInt, byteCount: UInt) -> Range<UInt> {
    let end = start + byteCount
    let (first, last) = (SystemPages.rounded(start), SystemPages.roundedDown(end))
    guard first < last else { return end..<end }
    do throws(SystemError) {
      try SystemPages.decommit(first, byteCount: last - first)
      return first..<last
    } catch {
      return end..<end
    }
  }

  /// Notes the pages again that a decommit left: only pages without the mark read as zeros.
  func noteStayed(of start: UInt, byteCount: UInt, but gone: Range<UInt>) {
    noteResident(from: start, to: gone.lowerBound)
    noteResident(from: gone.upperBound, to: start + byteCount)
  }

  private func noteResident(from start: UInt, to end: UInt) {
    guard start < end else { return }
    forEachPageMask(from: start, to: end) { granule, _, pages in granule.fields.residentPages |= pages }
  }

  /// The pages from `start` to `end`, and of these the first ones, up to `byteCount` bytes; without those before the first
  /// and after the last that have memory. They are noted as having none. Empty, at the end that was reached, when none
  /// of them has memory.
  func takeResidentPages(from start: UInt, to end: UInt, atMost byteCount: UInt) -> AddrRange<VirtAddr> {
    var first: UInt = 0
    var last: UInt = 0
    var isFull = false
    forEachPageMask(from: start, to: end) { granule, granuleStart, pages in
      if isFull { return }
      Granule.forEachRun(in: pages & granule.fields.residentPages) { offset, runByteCount in
        if first == 0 { first = granuleStart + offset }
        last = granuleStart + offset + runByteCount
      }
      granule.fields.residentPages &= ~pages
      isFull = first != 0 && granuleStart + Granule.byteCount - first >= byteCount
      if isFull { last = max(last, min(end, granuleStart + Granule.byteCount)) }
    }
    return first == 0
      ? AddrRange(start: VirtAddr(end), end: VirtAddr(end)) : AddrRange(start: VirtAddr(first), end: VirtAddr(last))
  }

  /// Purges a piece of the free granules if a purge is due or under way, or all of them on demand. `begin` makes a purge
  /// due.
  package func purgeGranules(_ occasion: PurgeOccasion, begin: Bool = false) {
    guard isPurging(occasion, begin: begin) else { return }
    while continuePurge(), occasion == .demand {}
  }

  /// Whether a purge is under way, begun now if one is due.
  private func isPurging(_ occasion: PurgeOccasion, begin: Bool) -> Bool {
    guard lock() else { return false }
    defer { unlock() }
    if fields.purgePosition != 0, occasion != .demand { return true }
    let isDue =
      begin
      || fields.decay.isDue(
        occasion, heldByteCount: fields.heldGranuleCount * Granule.byteCount, minimum: HeapSpace.purgeMinimum,
        now: milliseconds)
    if isDue, fields.ownsMapping {
      fields.decay.notePurge(heldByteCount: fields.heldGranuleCount * Granule.byteCount, now: milliseconds)
      fields.purgePosition = fields.firstGranule
    }
    return fields.purgePosition != 0
  }

  /// Purges a piece. Returns whether there is more to do.
  private func continuePurge() -> Bool {
    var left = HeapSpace.purgeByteMaximum / Granule.byteCount
    var lookedAt: UInt = 0
    while left > 0, lookedAt < HeapSpace.purgeGranuleMaximum {
      let (run, passedCount, isAtEnd) = takeDirtyGranules(atMost: left)
      if !run.isEmpty {
        decommit(
          fields.base + UInt(run.lowerBound) * Granule.byteCount, byteCount: UInt(run.count) * Granule.byteCount)
        putBack(run)
      }
      if isAtEnd { return false }
      left -= UInt(run.count)
      lookedAt += passedCount
    }
    return true
  }

  /// The next run of free granules with memory, at most `count`, now allocated; how many granules the purge went on by; and
  /// whether it is at its end.
  private func takeDirtyGranules(atMost count: UInt) -> (run: Range<UInt>, passedCount: UInt, isAtEnd: Bool) {
    guard lock() else { return (0..<0, 0, true) }
    defer { unlock() }
    let position = fields.purgePosition
    guard position != 0 else { return (0..<0, 0, true) }
    var number = position
    let end = committedEnd
    let most = min(end, number + HeapSpace.purgeGranuleMaximum)
    while number < most, !isDirty(number) { number = numberBehind(number) }
    guard number < end else {
      fields.purgePosition = 0
      return (0..<0, number - position, true)
    }
    let first = number
    let last = min(first + count, committedEnd(ofChunkAround: first))
    while number < last, isDirty(number) { number += 1 }
    let isAtEnd = number >= end
    fields.purgePosition = isAtEnd ? 0 : number
    let granules = HeapSpace.frames(from: first, to: number)
    guard first < number, chunk(headAt: head(around: first)).frames.allocate(at: granules) else {
      return (0..<0, number - position, isAtEnd)
    }
    for taken in first..<number {
      let granule = granule(UInt32(truncatingIfNeeded: taken))
      granule.use = .reserved
      granule.fields.residentPages = 0
    }
    return (first..<number, number - position, isAtEnd)
  }

  /// The next number, behind the rest of a chunk that is not committed.
  private func numberBehind(_ number: UInt) -> UInt {
    number + 1 < committedEnd(ofChunkAround: number) ? number + 1 : chunkEnd(around: number)
  }

  /// Whether a granule is free and has memory.
  private func isDirty(_ number: UInt) -> Bool {
    guard number < committedEnd(ofChunkAround: number) else { return false }
    let granule = granule(UInt32(truncatingIfNeeded: number))
    return granule.use == .free && granule.fields.residentPages != 0 && number >= fields.buddyFirstGranule
  }

  private func putBack(_ run: Range<UInt>) {
    guard lock() else { return }
    defer { unlock() }
    // The wait for the lock may have ended in a child of fork, with another buddy.
    guard run.lowerBound >= fields.buddyFirstGranule else { return }
    for number in run { granule(UInt32(truncatingIfNeeded: number)).use = .free }
    let granules = HeapSpace.frames(from: run.lowerBound, to: run.upperBound)
    giveBack(granules, toChunkWithHeadAt: head(around: run.lowerBound))
  }
}
