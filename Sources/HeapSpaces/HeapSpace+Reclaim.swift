internal import Addresses
internal import BuddyFrames
internal import FirstFitHeap

// Granules that the arenas do not need go back to the buddy, at an unhurried purge and when a span finds no other. A
// program that once filled its memory with large blocks can then fill it with small ones.

extension HeapSpace {
  /// Gives the granules that the arenas do not need back to the buddy; whether there were any.
  package func reclaimArena() -> Bool {
    guard lockArenas() else { return false }
    defer { unlockArenas() }
    let before = fields.arenaByteCount
    cutArenas { _ in }
    return fields.arenaByteCount != before
  }

  /// Cuts the free ends off the arenas' ranges, and ranges that are wholly free, and gives their granules back to the
  /// buddy; with the arenas' lock held. Each stretch is shown before it goes.
  func cutArenas(_ body: (AddrRange<VirtAddr>) -> Void) {
    // In a child of fork, what lies below belongs to a buddy that was abandoned.
    let floor = VirtAddr(fields.base + fields.buddyFirstGranule * Granule.byteCount)
    fields.arena.truncateRanges(alignment: Granule.byteCount, above: floor) { cut in
      body(cut)
      fields.arenaByteCount -= cut.byteCount
      deallocateArenaGranules(from: granuleNumber(cut.start), count: cut.byteCount / Granule.byteCount)
    }
  }

  private func deallocateArenaGranules(from first: UInt, count: UInt) {
    guard lock() else { return }
    defer { unlock() }
    let granules = HeapSpace.frames(from: first, to: first + count)
    splitRun(at: granules.start)
    // A run ends inside the one that the buddy gave out where first fit had to begin another range.
    if first + count < fields.granuleCount { splitRun(at: granules.end) }
    for number in first..<first + count {
      granule(UInt32(truncatingIfNeeded: number)).use = .free
    }
    fields.frames.deallocate(granules)
  }

  /// Makes the run around a granule, if the buddy gave it out as one, runs of which one begins there.
  private func splitRun(at granule: PhysAddr) {
    while case .allocated(let start, let order) = fields.frames.use(of: granule), start != granule {
      fields.frames.split(start, order: order, into: FrameOrder(order.rawValue - 1))
    }
  }
}
