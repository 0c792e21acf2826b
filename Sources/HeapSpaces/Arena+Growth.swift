internal import Addresses
internal import FirstFitHeap
internal import MemoryRegions

// How an arena grows, with its lock held.

extension Arena {
  /// Grows the arena for a request: by 1 MiB, a quarter of its size, or the size that the request needs; right behind its
  /// last range if possible.
  func grow(for byteCount: UInt, alignment: UInt) -> Bool {
    let (need, overflow) = byteCount.addingReportingOverflow(alignment + SystemPages.byteCount)
    // No range can hold such a request, however many ranges there are.
    guard !overflow, need <= BlockLayout.largestRangeByteCount else { return false }
    let least = granuleCount(for: need)
    let quarter = fields.byteCount / 4 / Granule.byteCount
    let wanted = max(least, min(max(quarter, Arena.granuleMinimum), Arena.granuleMaximum))
    return grow(granuleCount: wanted) || extendTop(toHold: need) || grow(granuleCount: least)
  }

  /// Extends the last range by no more than its top lacks, where memory is short.
  private func extendTop(toHold byteCount: UInt) -> Bool {
    guard let extent = fields.heap.extent else { return false }
    let room = fields.heap.topByteCount
    return byteCount > room && extend(at: extent.end, granuleCount: granuleCount(for: byteCount - room))
  }

  private func grow(granuleCount: UInt) -> Bool {
    if let extent = fields.heap.extent, extend(at: extent.end, granuleCount: granuleCount) { return true }
    return insertRange(granuleCount: granuleCount)
  }

  /// Extends the range whose last block is at `address`, which can then grow in place.
  func grow(above address: UInt, toHold byteCount: UInt) -> Bool {
    guard let top = fields.heap.top(above: VirtAddr(address)) else { return false }
    // The block's header lies before `address`.
    let room = top.end.raw - address
    guard byteCount > room, byteCount < BlockLayout.largestRangeByteCount else { return false }
    let least = granuleCount(for: byteCount - room + BlockLayout.granuleByteCount)
    let wanted = max(least, max(byteCount / 4 / Granule.byteCount, Arena.granuleMinimum))
    return extend(at: top.end, granuleCount: wanted) || extend(at: top.end, granuleCount: least)
  }

  /// The least number of granules that an arena grows by: 1 MiB.
  private static var granuleMinimum: UInt { 16 }
  /// The most that it grows by beyond a request: 1 GiB.
  private static var granuleMaximum: UInt { 1 << 14 }

  private func granuleCount(for byteCount: UInt) -> UInt { (byteCount + Granule.byteCount - 1) / Granule.byteCount }

  /// Extends the range that ends at `end`, unless first fit would have to start a new range there.
  private func extend(at end: VirtAddr, granuleCount: UInt) -> Bool {
    guard let limit = fields.heap.limit(ofRangeEndingAt: end),
      granuleCount <= (limit.raw - end.raw) / Granule.byteCount,
      space.allocateArenaGranules(from: space.granuleNumber(end), count: granuleCount)
    else { return false }
    insert(space.granuleNumber(end), granuleCount: granuleCount)
    return true
  }

  /// Adds another range to the arena, of a power of two of granules.
  private func insertRange(granuleCount: UInt) -> Bool {
    guard let order = FrameOrder(fitting: UInt64(granuleCount)),
      let first = space.allocateArenaGranules(order, onNode: UInt(fields.number) % space.fields.nodeCount)
    else { return false }
    insert(UInt(space.number(of: first)), granuleCount: UInt(order.frameCount))
    return true
  }

  private func insert(_ first: UInt, granuleCount: UInt) {
    for number in first..<first + granuleCount {
      space.granule(UInt32(truncatingIfNeeded: number)).arenaPart.begin(epoch: fields.epoch, arena: fields.number)
    }
    let start = VirtAddr(space.fields.base + first * Granule.byteCount)
    let added = AddrRange(start: start, byteCount: granuleCount * Granule.byteCount)
    // First fit writes a record at the start of each range. An extended range can reach its maximum length; the rest is
    // then a new range.
    let record = fields.heap.limit(ofRangeEndingAt: start) ?? start
    if added.contains(record) { space.granuleUnchecked(around: record.raw).fields.residentPages |= 1 }
    fields.byteCount += added.byteCount
    fields.heap.insert(added)
  }

  /// Starts the arena again without a range: in a child of fork, when it may be half changed. Blocks of the old ranges
  /// stay; freeing one only drops its entry.
  package func abandon() {
    fields.heap = FirstFitHeap()
    fields.byteCount = 0
    fields.purgePosition = 0
    fields.epoch &+= 1
  }
}
