internal import Addresses
internal import BuddyFrames
internal import FirstFitHeap

// What the arenas need no more becomes granules again when there are no others, be it that the range is used up or, far more
// often, the address space that the process may have: a program that once filled it with large blocks can fill it
// with small ones.

extension HeapSpace {
  /// Gives the free ends of the arenas' ranges back to the buddy; whether there were any.
  func reclaimArena() -> Bool {
    guard HeapLock.acquire(at: arenaLock) else { return false }
    defer { HeapLock.release(at: arenaLock) }
    let before = fields.arenaByteCount
    fields.arena.truncateRanges(alignment: Span.byteCount) { end in
      guard deallocateArenaGranules(end) else { return false }
      fields.arenaByteCount -= end.byteCount
      return true
    }
    return fields.arenaByteCount < before
  }

  /// Gives an arena's granules back; false in a child of fork when they may belong to a buddy that was abandoned.
  private func deallocateArenaGranules(_ range: AddrRange<VirtAddr>) -> Bool {
    guard HeapLock.acquire(at: address) else { return false }
    defer { HeapLock.release(at: address) }
    let first = (range.start.raw - fields.base) / Span.byteCount
    let end = (range.end.raw - fields.base) / Span.byteCount
    guard first >= fields.buddyFirstGranule else { return false }
    for number in first..<end {
      let span = span(UInt32(truncatingIfNeeded: number))
      span.kind = .none
      span.state = .idle
    }
    let granules = HeapSpace.frames(from: first, to: end)
    // The run that was taken as one may begin below.
    if case .allocated(let start, let order) = fields.frames.use(of: granules.start), start < granules.start {
      fields.frames.split(start, order: order, into: .min)
    }
    fields.frames.deallocate(granules)
    return true
  }
}
