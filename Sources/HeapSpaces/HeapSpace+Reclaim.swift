internal import Addresses
internal import BuddyFrames
internal import FirstFitHeap

// Granules that the arenas do not need go back to the buddy: at a purge outside a wave of frees, and when a span finds
// no other granule. Memory once filled with large blocks can then be filled with small ones.

extension HeapSpace {
  /// Returns the granules that the arenas do not need to the buddy. Returns whether there were any.
  package func reclaimArenas() -> Bool {
    var hasAny = false
    forEachArena { arena in
      guard arena.lock() else { return }
      let before = arena.fields.byteCount
      arena.cut()
      hasAny = hasAny || arena.fields.byteCount != before
      arena.unlock()
    }
    return hasAny
  }
}

extension Arena {
  /// Cuts the free ends off the arena's ranges, and ranges that are wholly free, and returns their granules to the
  /// buddy; with the lock held.
  func cut() {
    // In a child of fork, the granules below belong to an abandoned buddy.
    let floor = VirtAddr(space.fields.base + space.fields.buddyFirstGranule * Granule.byteCount)
    fields.heap.truncateRanges(alignment: Granule.byteCount, above: floor) { cut in
      fields.byteCount -= cut.byteCount
      space.deallocateArenaGranules(from: space.granuleNumber(cut.start), count: cut.byteCount / Granule.byteCount)
    }
  }
}

extension HeapSpace {
  func deallocateArenaGranules(from first: UInt, count: UInt) {
    guard lock() else { return }
    defer { unlock() }
    // The wait for the lock may have ended in a child of fork, with another buddy: the granules are lost to it.
    guard first >= fields.buddyFirstGranule else { return }
    // A range of the arenas lies in one chunk: a head is never part of a range.
    let head = head(around: first)
    let chunk = chunk(headAt: head)
    let granules = HeapSpace.frames(from: first, to: first + count)
    chunk.splitRun(at: granules.start)
    // First fit may have started another range inside a run of the buddy: such a run contains the end of this one.
    if first + count < chunkEnd(around: first) { chunk.splitRun(at: granules.end) }
    for number in first..<first + count { noteFreed(granule(UInt32(truncatingIfNeeded: number))) }
    giveBack(granules, toChunkWithHeadAt: head)
  }
}

extension HeapChunk {
  /// Splits the buddy's run around a granule, if it allocated one, until a run starts at the granule.
  fileprivate func splitRun(at granule: PhysAddr) {
    while case .allocated(let start, let order) = frames.use(of: granule), start != granule {
      frames.split(start, order: order, into: FrameOrder(order.rawValue - 1))
    }
  }
}
