internal import Addresses
internal import BuddyFrames
internal import FirstFitHeap

// Granules that the arenas do not need go back to the buddy: at a purge outside a wave of frees, and when a span finds
// no other granule. Memory once filled with large blocks can then be filled with small ones.

extension HeapSpace {
  /// Returns the granules that the arenas do not need to the buddy. Returns whether there were any.
  package func reclaimArena() -> Bool {
    guard lockArenas() else { return false }
    defer { unlockArenas() }
    let before = fields.arenaByteCount
    cutArenas { _ in }
    return fields.arenaByteCount != before
  }

  /// Cuts the free ends off the arenas' ranges, and ranges that are wholly free, and returns their granules to the
  /// buddy; with the arenas' lock held. `body` gets each piece before it goes.
  func cutArenas(_ body: (AddrRange<VirtAddr>) -> Void) {
    // In a child of fork, the granules below belong to an abandoned buddy.
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
    // The wait for the lock may have ended in a child of fork, with another buddy: the granules are lost to it.
    guard first >= fields.buddyFirstGranule else { return }
    let granules = HeapSpace.frames(from: first, to: first + count)
    splitRun(at: granules.start)
    // First fit may have started another range inside a run of the buddy: such a run contains the end of this one.
    if first + count < fields.granuleCount { splitRun(at: granules.end) }
    for number in first..<first + count {
      granule(UInt32(truncatingIfNeeded: number)).use = .free
    }
    fields.frames.deallocate(granules)
  }

  /// Splits the buddy's run around a granule, if it allocated one, until a run starts at the granule.
  private func splitRun(at granule: PhysAddr) {
    while case .allocated(let start, let order) = fields.frames.use(of: granule), start != granule {
      fields.frames.split(start, order: order, into: FrameOrder(order.rawValue - 1))
    }
  }
}
