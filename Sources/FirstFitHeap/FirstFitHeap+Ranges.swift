public import Addresses
import Assertions

extension FirstFitHeap {
  /// Gives the heap another range.
  ///
  /// The range is mapped, readable and writable, and nobody else's as long as the heap is used. One that starts where
  /// one of the heap's ends makes that one longer; any other stands by itself, and no block spans two. The heap uses
  /// the part that its alignment allows; a range by itself with no room for a block changes nothing. One of more than
  /// ``BlockLayout/largestRangeByteCount`` is taken as several. Traps when the range overlaps one of the heap's.
  /// - Complexity: O(r) for r ranges; touches the first bytes of the range only.
  public mutating func insert(_ range: AddrRange<VirtAddr>) {
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
    // Address 0 is what stands for none.
    guard var base = max(start, VirtAddr(1)).checkedAlignedUp(to: BlockLayout.granuleByteCount)?.raw else { return }
    while base < range.end.raw, range.end.raw - base >= least {
      let end = base + min(range.end.raw - base, BlockLayout.largestRangeByteCount)
      let created = HeapRange(creatingAt: base, end: end, next: above)
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

  /// The ends of the heap: from the start of its lowest range to the end of its highest; nil without any range.
  public var extent: AddrRange<VirtAddr>? {
    guard let firstRange, let lastRange else { return nil }
    return AddrRange(start: VirtAddr(firstRange.base), end: VirtAddr(lastRange.end))
  }

  /// The free top right above the block at `address`, empty or not; nil when something lies between the two.
  ///
  /// ``insert(_:)`` of what follows its end makes it longer, and so makes room for the block to grow.
  /// - Complexity: O(r) for r ranges.
  public func top(above address: VirtAddr) -> AddrRange<VirtAddr>? {
    let block = block(at: address)
    guard block.end == block.range.top else { return nil }
    return AddrRange(start: VirtAddr(block.end), end: VirtAddr(block.range.end))
  }

  /// Gives the heap `byteCount` bytes more, right above its highest range, whose free top grows by them.
  ///
  /// As ``insert(_:)`` does there. Traps on a heap without any range, when the bytes do not fit the address space, and
  /// when fewer than 128 of them are past ``BlockLayout/largestRangeByteCount`` and so would have to be a range of their
  /// own.
  /// - Complexity: O(r) for r ranges; touches the range's record only, unless a new range starts.
  public mutating func extend(by byteCount: UInt) {
    guard let last = lastRange else { fail("a heap without any range cannot be extended; insert one first") }
    let room = BlockLayout.largestRangeByteCount - (last.end - last.base)
    require(
      byteCount <= room || byteCount - room >= 128,
      "what extends a heap past its longest range must be 128 bytes or more, found", UInt64(byteCount - room))
    insert(AddrRange(start: VirtAddr(last.end), byteCount: byteCount))
  }

  /// How far ``insert(_:)`` can move the end of the range that ends at `end`: a range has its longest length there. Nil
  /// when no range ends at `end`.
  /// - Complexity: O(r) for r ranges.
  public func limit(ofRangeEndingAt end: VirtAddr) -> VirtAddr? {
    var next = firstRange
    while let range = next {
      if range.end == end.raw { return VirtAddr(range.base + BlockLayout.largestRangeByteCount) }
      next = range.next
    }
    return nil
  }

  /// Gives back the free top of the highest range, from a multiple of `alignment` on.
  ///
  /// - Parameter alignment: The size of what the owner can give back: a page as a rule. Traps unless it is a power of
  ///   two.
  /// - Returns: What the heap no longer uses, nil when that is nothing. ``extend(by:)`` gives it again.
  /// - Complexity: O(r) for r ranges; touches no memory but the range's record.
  public mutating func truncate(alignment: UInt = 4096) -> AddrRange<VirtAddr>? {
    lastRange.flatMap { Self.cutTop(of: $0, alignment: alignment, floor: .null) }
  }

  /// Gives back the free top of each range, from a multiple of `alignment` on, and each range that is wholly free and
  /// starts at such a multiple, with its record.
  ///
  /// - Parameters:
  ///   - alignment: As for ``truncate(alignment:)``.
  ///   - floor: Nothing below it is given back.
  ///   - receiver: Gets what the heap no longer uses, lowest first. ``insert(_:)`` gives it again.
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

  /// Ends a range at the lowest multiple of `alignment` that is not below its top nor below `floor`.
  ///
  /// - Returns: What was cut off, nil when that is nothing.
  private static func cutTop(of range: HeapRange, alignment: UInt, floor: VirtAddr) -> AddrRange<VirtAddr>? {
    guard let end = max(VirtAddr(range.top), floor).checkedAlignedUp(to: alignment), end.raw < range.end else {
      return nil
    }
    let cut = AddrRange(start: end, end: VirtAddr(range.end))
    range.end = end.raw
    return cut
  }
}
