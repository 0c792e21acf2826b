internal import Addresses
internal import FirstFitHeap
internal import MemoryRegions

// Room for the arenas.

extension HeapSpace {
  /// Gives the arena room for a request, with its lock held: 4 MiB, a quarter of what it has, or what the request needs;
  /// behind its last range if it can.
  func growArena(for byteCount: UInt, alignment: UInt) -> Bool {
    // With room for the range's record, a header, and what the alignment skips.
    let (need, overflow) = byteCount.addingReportingOverflow(alignment + SystemPages.byteCount)
    // What no range can hold, more room does not help.
    guard !overflow, need <= BlockLayout.largestRangeByteCount else { return false }
    let least = granuleCount(for: need)
    let wanted = max(least, max(fields.arenaByteCount / 4 / Granule.byteCount, HeapSpace.arenaGranuleMinimum))
    return growArena(granuleCount: wanted) || growArena(granuleCount: least)
  }

  private func growArena(granuleCount: UInt) -> Bool {
    if let extent = fields.arena.extent, extendArena(at: extent.end, granuleCount: granuleCount) { return true }
    return insertRange(granuleCount: granuleCount)
  }

  /// Gives the arena room behind the last block of a range, which can then grow in place.
  func growArena(above address: UInt, toHold byteCount: UInt) -> Bool {
    guard let top = fields.arena.top(above: VirtAddr(address)) else { return false }
    // The block's header comes before it.
    let room = top.end.raw - address
    guard byteCount > room, byteCount < BlockLayout.largestRangeByteCount else { return false }
    let least = granuleCount(for: byteCount - room + BlockLayout.granuleByteCount)
    let wanted = max(least, max(byteCount / 4 / Granule.byteCount, HeapSpace.arenaGranuleMinimum))
    return extendArena(at: top.end, granuleCount: wanted) || extendArena(at: top.end, granuleCount: least)
  }

  /// How many granules an arena grows by at least: 4 MiB, for few calls of the system.
  private static var arenaGranuleMinimum: UInt { 64 }

  private func granuleCount(for byteCount: UInt) -> UInt { (byteCount + Granule.byteCount - 1) / Granule.byteCount }

  /// Makes the range that ends at `end` longer, unless first fit would have to begin another one there.
  private func extendArena(at end: VirtAddr, granuleCount: UInt) -> Bool {
    guard let limit = fields.arena.limit(ofRangeEndingAt: end),
      granuleCount <= (limit.raw - end.raw) / Granule.byteCount,
      allocateArenaGranules(from: granuleNumber(end), count: granuleCount)
    else { return false }
    insertIntoArena(granuleNumber(end), granuleCount: granuleCount)
    return true
  }

  /// Gives the arena another range, of a power of two of granules.
  private func insertRange(granuleCount: UInt) -> Bool {
    guard let order = FrameOrder(fitting: UInt64(granuleCount)), let first = allocateArenaGranules(order) else {
      return false
    }
    insertIntoArena(UInt(number(of: first)), granuleCount: UInt(order.frameCount))
    return true
  }

  private func insertIntoArena(_ first: UInt, granuleCount: UInt) {
    for number in first..<first + granuleCount {
      granule(UInt32(truncatingIfNeeded: number)).arenaPart.begin(epoch: fields.arenaEpoch)
    }
    let start = VirtAddr(fields.base + first * Granule.byteCount)
    let added = AddrRange(start: start, byteCount: granuleCount * Granule.byteCount)
    // First fit writes a record where it begins a range. Where it makes one longer, it begins another with what that
    // cannot hold.
    let record = fields.arena.limit(ofRangeEndingAt: start) ?? start
    if added.contains(record) { granuleUnchecked(around: record.raw).fields.residentPages |= 1 }
    fields.arenaByteCount += added.byteCount
    fields.arena.insert(added)
  }
}
