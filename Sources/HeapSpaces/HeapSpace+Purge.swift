internal import Addresses
internal import BuddyFrames
package import HeapBlocks
internal import MemoryProtocols
internal import MemoryRegions
internal import Synchronization

// The space's part of a purge: free granules. The descriptors know which pages may have memory behind them
// (`residentPages`); each page is decommitted once. As in arenas, a purge works in pieces, and the granules of a piece are
// allocated while the system works, without the lock.

extension HeapSpace {
  /// The most bytes that one call returns to the system, and the most descriptors that it looks at.
  private static var purgeByteMaximum: UInt { 256 << 10 }
  private static var purgeGranuleMaximum: UInt { 512 }
  /// The least number of freed bytes that makes a purge due at once.
  private static var purgeMinimum: UInt { 1 << 20 }

  /// The bytes that went back to the system so far.
  package var returnedByteCount: UInt { fields.returnedByteCount.load(ordering: .relaxed) }

  /// How long no purge begins after the system refused to take pages back. It refuses locked ones, as those of a program
  /// that calls mlockall: purges would walk along the heap for nothing.
  private static var refusalMilliseconds: UInt { 1_000 }

  /// Whether a purge may begin: not over a caller's memory, and, unless it was asked for, not soon after a refusal.
  package func mayPurge(_ occasion: PurgeOccasion) -> Bool {
    guard fields.ownsMapping, !isWhollyFixed || occasion == .demand else { return false }
    // Relaxed: the time stands for itself.
    let refusedAt = fields.refusedAtMilliseconds.load(ordering: .relaxed)
    return refusedAt == 0 || occasion == .demand || milliseconds &- refusedAt >= HeapSpace.refusalMilliseconds
  }

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
  /// in part stay, and fixed ones. All stay when the system refuses, as it does for pinned pages: the range is then empty.
  func decommitted(_ start: UInt, byteCount: UInt) -> Range<UInt> {
    let end = start + byteCount
    let (first, last) = (SystemPages.rounded(unfixedStart(from: start)), SystemPages.roundedDown(end))
    guard first < last else { return end..<end }
    do throws(SystemError) {
      try SystemPages.decommit(first, byteCount: last - first)
      fields.returnedByteCount.wrappingAdd(last - first, ordering: .relaxed)
      return first..<last
    } catch {
      fields.refusedAtMilliseconds.store(max(1, milliseconds), ordering: .relaxed)
      return end..<end
    }
  }

  /// Notes the pages again that a decommit left: only pages without the mark read as zeros.
  func noteStayed(of start: UInt, byteCount: UInt, but gone: Range<UInt>) {
    noteResident(from: start, to: gone.lowerBound)
    noteResident(from: gone.upperBound, to: start + byteCount)
  }

  private func noteResident(from start: UInt, to end: UInt) {
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
    // Amid frees nothing changes before the next granule becomes free.
    if occasion == .free, !begin, !fields.isPurgeNear.load(ordering: .relaxed) { return }
    guard isPurging(occasion, begin: begin) else { return }
    while continuePurge(), occasion == .demand {}
  }

  /// Whether a purge is under way, begun now if one is due.
  private func isPurging(_ occasion: PurgeOccasion, begin: Bool) -> Bool {
    guard lock() else { return false }
    defer { unlock() }
    if fields.purgePosition != 0, occasion != .demand { return true }
    let isDue = begin && fields.decay.mayBegin(now: milliseconds) || isPurgeDue(occasion)
    if isDue, mayPurge(occasion) {
      let freedByteCount = fields.decay.freedByteCount
      fields.decay.notePurge(heldByteCount: fields.heldGranuleCount * Granule.byteCount, now: milliseconds)
      fields.decay.notePurged(freedByteCount)
      fields.purgePosition = fields.firstGranule
    }
    fields.isPurgeNear.store(fields.purgePosition != 0, ordering: .relaxed)
    return fields.purgePosition != 0
  }

  /// Whether a purge of free granules is due, with the lock held.
  private func isPurgeDue(_ occasion: PurgeOccasion) -> Bool {
    fields.decay.isDue(
      occasion, heldByteCount: fields.heldGranuleCount * Granule.byteCount, minimum: HeapSpace.purgeMinimum,
      now: milliseconds)
  }

  /// Notes that a purge is due after a granule became free, with the lock held.
  func notePurgeDue() {
    if !fields.isPurgeNear.load(ordering: .relaxed), isPurgeDue(.free) {
      fields.isPurgeNear.store(true, ordering: .relaxed)
    }
  }

  /// Purges a piece. Returns whether there is more to do.
  private func continuePurge() -> Bool {
    var byteCount = HeapSpace.purgeByteMaximum
    var granuleCount = HeapSpace.purgeGranuleMaximum
    while byteCount > 0, granuleCount > 0 {
      guard let piece = takePiece(ofAtMost: byteCount, among: granuleCount) else { return false }
      granuleCount -= piece.lookedAtCount
      guard !piece.run.isEmpty else { continue }
      let runByteCount = UInt(piece.run.count) * Granule.byteCount
      byteCount -= runByteCount
      decommit(fields.base + UInt(piece.run.lowerBound) * Granule.byteCount, byteCount: runByteCount)
      putBack(piece.run)
    }
    return true
  }

  /// A run of free granules that is allocated while it is purged.
  private struct Piece {
    let run: Range<UInt>
    /// How many granules the search for it looked at, at least one.
    let lookedAtCount: UInt
  }

  /// The next run of free granules with memory, of at most `byteCount` bytes, now allocated; empty when none of the next
  /// `granuleCount` is such a granule. Nil when the purge is at its end.
  private func takePiece(ofAtMost byteCount: UInt, among granuleCount: UInt) -> Piece? {
    guard lock() else { return nil }
    defer { unlock() }
    var number = fields.purgePosition
    let end = committedEnd
    var lookedAtCount: UInt = 0
    while number != 0, number < end, lookedAtCount < granuleCount, !isDirty(number) {
      number = numberBehind(number)
      lookedAtCount += 1
    }
    guard number != 0, number < end else {
      fields.purgePosition = 0
      fields.isPurgeNear.store(false, ordering: .relaxed)
      return nil
    }
    let first = number
    let most = min(byteCount / Granule.byteCount, granuleCount - lookedAtCount)
    let last = min(first + most, committedEnd(ofChunkAround: first))
    while number < last, isDirty(number) { number += 1 }
    lookedAtCount += number - first
    fields.purgePosition = number
    guard first < number,
      chunk(headAt: head(around: first)).frames.allocate(at: HeapSpace.frames(from: first, to: number))
    else { return Piece(run: first..<first, lookedAtCount: lookedAtCount) }
    for taken in first..<number {
      let granule = granule(UInt32(truncatingIfNeeded: taken))
      granule.use = .reserved
      granule.fields.residentPages = 0
    }
    return Piece(run: first..<number, lookedAtCount: lookedAtCount)
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
