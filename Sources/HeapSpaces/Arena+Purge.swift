internal import Addresses
internal import FirstFitHeap
package import HeapBlocks

// Purges of an arena: the whole pages inside its holes go back to the system.
//
// A purge works in pieces, one at each call that finds it under way, and each piece is small: no call pays for more than
// `purgeByteMaximum`, however large the arena is. While the system works, nobody waits: the piece's hole is allocated
// like a block, and the lock is free.

extension HeapSpace {
  /// Purges the arenas for which a purge is due: a piece of each, or all on demand.
  package func purgeArenas(_ occasion: PurgeOccasion) {
    forEachArena { arena in
      guard arena.lock() else { return }
      let isPurging = arena.isPurging(occasion)
      arena.unlock()
      if isPurging { while arena.continuePurge(), occasion == .demand {} }
    }
  }
}

extension Arena {
  /// The most bytes that one call returns to the system; a free, twice as many as it frees if that is more.
  private static var purgeByteMaximum: UInt { 256 << 10 }
  /// The most holes that one call looks at.
  private static var purgeHoleMaximum: Int { 16 }
  /// The least number of freed bytes that makes a purge due at once.
  private static var purgeMinimum: UInt { 16 << 20 }
  /// The smallest hole that may have a whole page besides first fit's words.
  private static var holeByteMinimum: UInt { Granule.pageByteCount + BlockLayout.nodeByteCount }

  /// Whether a purge is under way, begun now if one is due. With the lock held.
  ///
  /// Except amid a wave of frees, it also returns granules that the arena does not need to the buddy. Amid a wave spans
  /// would settle there, and the next wave of requests would need new granules; a span that finds no other granule gets
  /// one of these nevertheless.
  func isPurging(_ occasion: PurgeOccasion) -> Bool {
    // A purge under way is not begun again: it would never reach the upper holes.
    if fields.purgePosition != 0, occasion != .demand { return true }
    let isDue =
      fields.decay.isDue(
        occasion, heldByteCount: heldByteCount, minimum: Arena.purgeMinimum, now: space.milliseconds)
      || occasion == .free && fields.decay.freedByteCount > space.quotaRoom
    // The decay does not know which holes were purged: memory may be left although nothing counts as freed.
    if isDue, space.mayPurge(occasion), fields.decay.freedByteCount != 0 || occasion == .demand {
      let freedByteCount = fields.decay.freedByteCount
      fields.decay.notePurge(heldByteCount: heldByteCount, now: space.milliseconds)
      fields.decay.notePurged(freedByteCount)
      if occasion != .free { cut() }
      fields.purgePosition = 1
    }
    return fields.purgePosition != 0
  }

  /// How many bytes the arena holds as a purge counts them: the blocks in use, and what was freed since the last purge.
  private var heldByteCount: UInt { fields.usedByteCount + fields.decay.freedByteCount }

  /// Purges a piece, without the lock, in a call that frees a block of `byteCount` bytes. Returns whether there is more to
  /// do.
  @discardableResult
  func continuePurge(freeing byteCount: UInt = 0) -> Bool {
    var left = max(Arena.purgeByteMaximum, 2 * byteCount)
    for _ in 0..<Arena.purgeHoleMaximum {
      guard let piece = takePiece(of: left) else { return false }
      let (start, byteCount) = (piece.pages.start.raw, piece.pages.byteCount)
      let gone = byteCount == 0 ? start..<start : space.decommitted(start, byteCount: byteCount)
      left -= min(byteCount, left)
      guard putBack(piece, purged: gone) else { return false }
      if left == 0 { return true }
    }
    return true
  }

  /// A hole that is allocated while some of its pages are purged.
  private struct Piece {
    let hole: VirtAddr
    /// The pages to purge, none when the hole has no memory.
    let pages: AddrRange<VirtAddr>
  }

  /// The next piece, of at most `byteCount` bytes; nil when the purge is at its end.
  private func takePiece(of byteCount: UInt) -> Piece? {
    guard lock() else { return nil }
    defer { unlock() }
    let position = fields.purgePosition
    guard position != 0 else { return nil }
    guard let hole = fields.heap.allocateHole(ofAtLeast: Arena.holeByteMinimum, above: VirtAddr(position)) else {
      fields.purgePosition = 0
      return nil
    }
    // All but the pages with first fit's words, at the hole's start and at its end.
    let end = hole.raw - BlockLayout.headerByteCount + FirstFitHeap.blockByteCount(of: hole)
    let page = Granule.pageByteCount
    let last = (end - BlockLayout.nodeByteCount) & ~(page - 1)
    let first = min(max((hole.raw + page - 1) & ~(page - 1), position & ~(page - 1)), last)
    let pages = space.takeResidentPages(from: first, to: last, atMost: byteCount)
    fields.purgePosition = pages.end.raw < last ? pages.end.raw : end
    return Piece(hole: hole, pages: pages)
  }

  /// Returns a piece's hole to the arena; false when that is impossible, in a child of fork. Other blocks may lie in the
  /// same granules as the pages that stayed: they are noted under the lock.
  private func putBack(_ piece: Piece, purged gone: Range<UInt>) -> Bool {
    guard lock() else { return false }
    defer { unlock() }
    // The wait for the lock may have ended in a child of fork, with another arena.
    guard space.granuleUnchecked(around: piece.hole.raw).arenaPart.fields.epoch == fields.epoch else { return false }
    space.noteStayed(of: piece.pages.start.raw, byteCount: piece.pages.byteCount, but: gone)
    fields.heap.deallocate(piece.hole)
    return true
  }
}
