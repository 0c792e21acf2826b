internal import Addresses
internal import FirstFitHeap
internal import MemoryRegions

// How arenas grow.

extension HeapSpace {
  /// Grows the arena for a request, with the arenas' lock held: by 4 MiB, a quarter of its size, or the size that the
  /// request needs; right behind its last range if possible.
  func growArena(for byteCount: UInt, alignment: UInt) -> Bool {
    let (need, overflow) = byteCount.addingReportingOverflow(alignment + SystemPages.byteCount)
    // No range can hold such a request, however many ranges there are.
    guard !overflow, need <= BlockLayout.largestRangeByteCount else { return false }
    let least = granuleCount(for: need)
    let wanted = max(least, max(fields.arenaByteCount / 4 / Granule.byteCount, HeapSpace.arenaGranuleMinimum))
    return growArena(granuleCount: wanted) || growArena(granuleCount: least)
  }

  private func growArena(granuleCount: UInt) -> Bool {
    if let extent = fields.arena.extent, extendArena(at: extent.end, granuleCount: granuleCount) { return true }
    return insertRange(granuleCount: granuleCount)
  }

  /// Extends the range whose last block is at `address`, which can then grow in place.
  func growArena(above address: UInt, toHold byteCount: UInt) -> Bool {
    guard let top = fields.arena.top(above: VirtAddr(address)) else { return false }
    // The block's header lies before `address`.
    let room = top.end.raw - address
    guard byteCount > room, byteCount < BlockLayout.largestRangeByteCount else { return false }
    let least = granuleCount(for: byteCount - room + BlockLayout.granuleByteCount)
    let wanted = max(least, max(byteCount / 4 / Granule.byteCount, HeapSpace.arenaGranuleMinimum))
    return extendArena(at: top.end, granuleCount: wanted) || extendArena(at: top.end, granuleCount: least)
  }

  /// The least number of granules that an arena grows by: 4 MiB, for few system calls.
  private static var arenaGranuleMinimum: UInt { 64 }

  private func granuleCount(for byteCount: UInt) -> UInt { (byteCount + Granule.byteCount - 1) / Granule.byteCount }

  /// Extends the range that ends at `end`, unless first fit would have to start a new range there.
  private func extendArena(at end: VirtAddr, granuleCount: UInt) -> Bool {
    guard let limit = fields.arena.limit(ofRangeEndingAt: end),
      granuleCount <= (limit.raw - end.raw) / Granule.byteCount,
      allocateArenaGranules(from: granuleNumber(end), count: granuleCount)
    else { return false }
    insertIntoArena(granuleNumber(end), granuleCount: granuleCount)
    return true
  }

  /// Adds another range to the arena, of a power of two of granules.
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
    // First fit writes a record at the start of each range. An extended range can reach its maximum length; the rest is
    // then a new range.
    let record = fields.arena.limit(ofRangeEndingAt: start) ?? start
    if added.contains(record) { granuleUnchecked(around: record.raw).fields.residentPages |= 1 }
    fields.arenaByteCount += added.byteCount
    fields.arena.insert(added)
  }

  /// How many bytes the arenas' ranges have. Takes the arenas' lock, unless this thread holds it: in a signal handler.
  package var arenaExtentByteCount: UInt {
    guard lockArenas() else { return fields.arenaByteCount }
    defer { unlockArenas() }
    return fields.arenaByteCount
  }
}
