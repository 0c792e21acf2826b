public import Addresses
import Assertions

extension FirstFitHeap {
  /// Adds a range to the heap.
  ///
  /// The range must be mapped, readable, writable and used by nobody else while the heap is in use. If it starts at the
  /// end of one of the heap's ranges, it extends that one; otherwise it stands alone. No block spans two ranges. The
  /// heap uses the part that its alignment allows; a range that would stand alone without room for a block changes
  /// nothing. A range of more than ``BlockLayout/largestRangeByteCount`` becomes several. Traps when the range overlaps
  /// one of the heap's.
  /// - Parameters:
  ///   - range: The memory.
  ///   - search: How to find the holes of the range, where it stands alone. A table takes 1/110 of the range.
  /// - Complexity: O(r) for r ranges; touches only the first bytes of the range, and of the parts of its table.
  public mutating func insert(_ range: AddrRange<VirtAddr>, search: FirstFitSearch = .tree) {
    var below: HeapRange?
    var above = firstRange
    while let candidate = above, candidate.base < range.start.raw {
      below = candidate
      above = candidate.next
    }
    require(
      (below.map { $0.end <= range.start.raw } ?? true) && (above.map { range.end.raw <= $0.base } ?? true),
      "a heap's ranges must not overlap, found", UInt64(range.start.raw))
    var start = range.start
    if let below, below.end == start.raw {
      below.end += min(range.byteCount, BlockLayout.largestRangeByteCount - (below.end - below.base))
      start = VirtAddr(below.end)
    }
    let least = BlockLayout.recordByteCount + BlockLayout.minimumBlockByteCount
    // Address 0 stands for no range.
    guard var base = max(start, VirtAddr(1)).checkedAlignedUp(to: BlockLayout.granuleByteCount)?.raw else { return }
    while base < range.end.raw, range.end.raw - base >= least {
      let end = base + min(range.end.raw - base, BlockLayout.largestRangeByteCount)
      let created = HeapRange(creatingAt: base, end: end, next: above, search: search)
      if let below { below.next = created } else { firstRange = created }
      below = created
      base = end
    }
  }

  /// The highest range.
  var lastRange: HeapRange? {
    var last = firstRange
    while let next = last?.next { last = next }
    return last
  }

  /// The heap from the start of its lowest range to the end of its highest; nil without ranges.
  public var extent: AddrRange<VirtAddr>? {
    guard let firstRange, let lastRange else { return nil }
    return AddrRange(start: VirtAddr(firstRange.base), end: VirtAddr(lastRange.end))
  }

  /// The bytes behind the last block of the highest range, 0 without a range.
  public var topByteCount: UInt { lastRange?.topByteCount ?? 0 }

  /// The free top right above the block at `address`, empty or not; nil when something lies between them.
  ///
  /// To make room for the block to grow, extend the top: call ``insert(_:search:)`` with a range that starts at its
  /// end.
  /// - Complexity: O(r) for r ranges.
  public func top(above address: VirtAddr) -> AddrRange<VirtAddr>? {
    let block = block(at: address)
    guard block.end == block.range.top else { return nil }
    return AddrRange(start: VirtAddr(block.end), end: VirtAddr(block.range.end))
  }

  /// Adds `byteCount` bytes to the heap, right above its highest range, whose free top grows by them.
  ///
  /// Equivalent to ``insert(_:search:)`` there. Traps when the heap has no range, when the bytes do not fit the address
  /// space, and when fewer than 128 of them exceed ``BlockLayout/largestRangeByteCount`` and would have to be a range of
  /// their own.
  /// - Complexity: O(r) for r ranges; touches only the range's record unless a new range starts.
  public mutating func extend(by byteCount: UInt) {
    guard let last = lastRange else { fail("a heap without any range cannot be extended; insert one first") }
    let room = BlockLayout.largestRangeByteCount - (last.end - last.base)
    require(
      byteCount <= room || byteCount - room >= 128,
      "what extends a heap past its longest range must be 128 bytes or more, found", UInt64(byteCount - room))
    insert(AddrRange(start: VirtAddr(last.end), byteCount: byteCount))
  }

  /// The highest address to which ``insert(_:search:)`` can move the end of the range that ends at `end`: there the
  /// range has its maximum length. Nil when no range ends at `end`.
  /// - Complexity: O(r) for r ranges.
  public func limit(ofRangeEndingAt end: VirtAddr) -> VirtAddr? {
    var next = firstRange
    while let range = next {
      if range.end == end.raw { return VirtAddr(range.base + BlockLayout.largestRangeByteCount) }
      next = range.next
    }
    return nil
  }

  /// Releases the free top of the highest range, from a multiple of `alignment` on.
  ///
  /// - Parameter alignment: The unit in which the owner can release memory, usually a page. Traps unless it is a power
  ///   of two.
  /// - Returns: The bytes that the heap no longer uses, nil when there are none. ``extend(by:)`` adds them again.
  /// - Complexity: O(r) for r ranges; touches no memory but the range's record.
  public mutating func truncate(alignment: UInt = 4096) -> AddrRange<VirtAddr>? {
    lastRange.flatMap { Self.cutTop(of: $0, alignment: alignment, floor: .null) }
  }

  /// Releases the free top of each range, from a multiple of `alignment` on. A range that is wholly free and starts at
  /// such a multiple goes entirely, with its record.
  ///
  /// - Parameters:
  ///   - alignment: As for ``truncate(alignment:)``.
  ///   - floor: Nothing below this address is released.
  ///   - receiver: Gets the ranges that the heap no longer uses, lowest first. ``insert(_:search:)`` adds them again.
  /// - Complexity: O(r) for r ranges; touches no memory but the ranges' records.
  public mutating func truncateRanges(
    alignment: UInt = 4096, above floor: VirtAddr = .null, _ receiver: (AddrRange<VirtAddr>) -> Void
  ) {
    var below: HeapRange?
    var next = firstRange
    while let range = next {
      next = range.next
      let base = VirtAddr(range.base)
      if range.top == range.first, base >= floor, base.isAligned(to: alignment) {
        let whole = AddrRange(start: base, end: VirtAddr(range.end))
        if let below { below.next = next } else { firstRange = next }
        receiver(whole)
      } else {
        if let cut = Self.cutTop(of: range, alignment: alignment, floor: floor) { receiver(cut) }
        below = range
      }
    }
  }

  /// Ends a range at the lowest multiple of `alignment` that is below neither its top nor `floor`.
  ///
  /// - Returns: The part cut off, nil when it is empty.
  private static func cutTop(of range: HeapRange, alignment: UInt, floor: VirtAddr) -> AddrRange<VirtAddr>? {
    guard let end = max(VirtAddr(range.top), floor).checkedAlignedUp(to: alignment), end.raw < range.end else {
      return nil
    }
    let cut = AddrRange(start: end, end: VirtAddr(range.end))
    range.end = end.raw
    return cut
  }
}
