public import Addresses
import Contracts

extension FirstFitHeap {
  /// Gives the heap another range, which lies apart from those it has; no block will span two of them.
  ///
  /// The range is mapped, readable and writable, and nobody else's as long as the heap is used. The heap uses the part
  /// that its alignment allows; a range with no room for a block changes nothing. A range of more than
  /// ``BlockLayout/largestRangeByteCount`` is taken as several. Traps when the range overlaps one of the heap's.
  /// - Complexity: O(r) for r ranges; touches the first bytes of the range only.
  public mutating func insert(_ range: AddrRange<VirtAddr>) {
    let granule = BlockLayout.granuleByteCount
    let least = BlockLayout.recordByteCount + BlockLayout.minimumBlockByteCount
    // Address 0 is what stands for none.
    guard var base = max(range.start, VirtAddr(1)).checkedAlignedUp(to: granule)?.raw else { return }
    while base < range.end.raw, range.end.raw - base >= least {
      let end = base + min(range.end.raw - base, BlockLayout.largestRangeByteCount)
      link(base, to: end)
      base = end
    }
  }

  private mutating func link(_ base: UInt, to end: UInt) {
    var below: HeapRange?
    var above = firstRange
    while let range = above, range.base < base {
      below = range
      above = range.next
    }
    require(
      (below.map { $0.end <= base } ?? true) && (above.map { end <= $0.base } ?? true),
      "a heap's ranges must not overlap, found", UInt64(base))
    let range = HeapRange(creatingAt: base, end: end, next: above)
    if let below { below.next = range } else { firstRange = range }
  }

  /// The highest range.
  var lastRange: HeapRange? {
    var last = firstRange
    while let next = last?.next { last = next }
    return last
  }

  /// The ends of the heap: from the start of its lowest range to the end of its highest; nil without any range.
  public var extent: AddrRange<VirtAddr>? {
    guard let firstRange, let lastRange else { return nil }
    return AddrRange(start: VirtAddr(firstRange.base), end: VirtAddr(lastRange.end))
  }

  /// Gives the heap `byteCount` bytes more, right above its highest range, whose free top grows by them.
  ///
  /// The bytes are mapped, readable and writable, and nobody else's. What would make the range longer than
  /// ``BlockLayout/largestRangeByteCount`` becomes a range of its own. Traps on a heap without any range and when the
  /// bytes do not fit the address space.
  /// - Complexity: O(r) for r ranges; touches no memory but the range's record.
  public mutating func extend(by byteCount: UInt) {
    guard let last = lastRange else { fail("a heap without any range cannot be extended; insert one first") }
    let newEnd = VirtAddr(last.end) + byteCount
    let limit = last.base.addingReportingOverflow(BlockLayout.largestRangeByteCount)
    let end = limit.overflow ? newEnd.raw : min(newEnd.raw, limit.partialValue)
    last.end = end
    insert(AddrRange(start: VirtAddr(end), end: newEnd))
  }

  /// Gives back the free top of the highest range, from a multiple of `alignment` on.
  ///
  /// - Parameter alignment: The size of what the owner can give back: a page as a rule. Traps unless it is a power of
  ///   two.
  /// - Returns: What the heap no longer uses, nil when that is nothing. ``extend(by:)`` gives it again.
  /// - Complexity: O(r) for r ranges; touches no memory but the range's record.
  public mutating func truncate(alignment: UInt = 4096) -> AddrRange<VirtAddr>? {
    guard let last = lastRange, let end = VirtAddr(last.top).checkedAlignedUp(to: alignment), end.raw < last.end else {
      return nil
    }
    let cut = AddrRange(start: end, end: VirtAddr(last.end))
    last.end = end.raw
    return cut
  }
}
