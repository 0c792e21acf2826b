public import Addresses
import Assertions

// Allocation: find the hole, plan the cut as values, then write it.
//
// With an alignment above the granule the index is inexact: a hole may be large enough and still have no aligned place.
// The search then visits the holes of at least the block's size in address order and takes the first with a place. A
// hole of byteCount + alignment + one minimum block always has one, so only holes between the two sizes can be visited
// in vain: O((k + 1) log n) for k of them below the address found.

extension FirstFitHeap {
  /// A block of at least `byteCount` bytes at a multiple of `alignment`, or nil when none fits.
  ///
  /// The block lies at the lowest address at which it fits. A block of 0 bytes is a block like any other: it has its
  /// own address and must be deallocated. Traps unless `alignment` is a power of two.
  /// - Complexity: O(log n) for n holes, and O(1) when only a top fits. The head of this file states the cost of
  ///   alignments above ``BlockLayout/granuleByteCount``.
  public mutating func allocate(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    if let range = firstRange, range.hasTable {
      return allocate(byteCount: byteCount, alignment: alignment, by: HoleTable(range: range))
    }
    return allocateAnywhere(byteCount: byteCount, alignment: alignment)
  }

  /// The same, whatever the size, the alignment and the ranges.
  @inline(never) mutating func allocateAnywhere(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    require(alignment.isPowerOfTwo, "an alignment must be a power of two, found", UInt64(alignment))
    guard let need = BlockLayout.blockByteCount(for: byteCount) else { return nil }
    if alignment > BlockLayout.granuleByteCount { return allocateAligned(need: need, alignment: alignment) }
    let needGranules = UInt32(truncatingIfNeeded: need / BlockLayout.granuleByteCount)
    var next = firstRange
    while let range = next {
      if let node = range.holes.lowestHole(ofAtLeast: needGranules) {
        return takeFront(of: node, need: need, in: range)
      }
      let top = range.top
      if range.end &- top >= need { return takeTop(at: top, need: need, in: range) }
      next = range.next
    }
    return nil
  }

  /// A block of at least `byteCount` bytes from the smallest of the first `holeCount` holes that fit, or nil when none
  /// fits.
  ///
  /// A policy between first fit (`holeCount` 1) and best fit: the more holes to choose from, the smaller the rest.
  /// - Complexity: O(`holeCount` log n) for n holes.
  public mutating func allocate(byteCount: UInt, fromBestOf holeCount: UInt) -> VirtAddr? {
    guard holeCount > 1 else { return allocate(byteCount: byteCount) }
    guard let need = BlockLayout.blockByteCount(for: byteCount) else { return nil }
    let needGranules = UInt32(truncatingIfNeeded: need / BlockLayout.granuleByteCount)
    var next = firstRange
    while let range = next {
      range.holes.settle()
      if let first = range.holes.lowestHole(ofAtLeast: needGranules) {
        var best = first
        var candidate = first
        var left = holeCount &- 1
        // A rest of at most one sixty-fourth counts as none.
        while left != 0, best.size &- needGranules > needGranules / 64,
          let following = range.holes.nextHole(ofAtLeast: needGranules, after: candidate)
        {
          candidate = following
          if following.size < best.size { best = following }
          left &-= 1
        }
        return takeFront(of: best, need: need, in: range)
      }
      let top = range.top
      if range.end &- top >= need { return takeTop(at: top, need: need, in: range) }
      next = range.next
    }
    return nil
  }

  /// A block of at least `byteCount` bytes with the alignment that every block has, or nil when none fits.
  public mutating func allocate(byteCount: UInt) -> VirtAddr? {
    allocate(byteCount: byteCount, alignment: 1)
  }

  /// Cuts a block of `need` bytes from the front of a hole.
  @_transparent
  mutating func takeFront(of node: HoleNode, need: UInt, in range: HeapRange) -> VirtAddr {
    let start = node.start
    let byteCount = node.byteCount
    checkHole(at: start, byteCount: byteCount, in: range)
    let rest = byteCount &- need
    if rest >= BlockLayout.minimumBlockByteCount {
      range.setHeader(at: start, byteCount: need, isInUse: true)
      range.setHeader(at: start &+ need, byteCount: rest, isInUse: false)
      range.holes.setSize(of: node, to: UInt32(truncatingIfNeeded: rest / BlockLayout.granuleByteCount))
      return give(start, byteCount: need)
    }
    range.holes.remove(node)
    indexedHoleCount &-= 1
    range.setHeader(at: start, byteCount: byteCount, isInUse: true)
    range.setBelowIsFree(false, at: start &+ byteCount)
    return give(start, byteCount: byteCount)
  }

  /// Cuts a block of `need` bytes from the top of a range. A block right below the top is always in use.
  @inline(__always)
  private mutating func takeTop(at start: UInt, need: UInt, in range: HeapRange) -> VirtAddr {
    range.setHeader(at: start, byteCount: need, isInUse: true)
    raiseTop(of: range, to: start &+ need)
    return give(start, byteCount: need)
  }

  /// Ends the process unless the hole at `start` still has the header that the heap wrote.
  @inline(__always) func checkHole(at start: UInt, byteCount: UInt, in range: HeapRange) {
    let expected = BlockHeader(byteCount: byteCount, isInUse: false, offset: start &- range.base)
    // A size that was overwritten may lead to a start below address 0.
    if byteCount > start &+ byteCount &- range.first || range.header(at: start) != expected {
      fail("heap corrupted, freed memory was written to, in the hole at", UInt64(start))
    }
  }

  /// Moves the start of the top up to `top`.
  @inline(__always) mutating func raiseTop(of range: HeapRange, to top: UInt) {
    range.top = top
    if range.hasTable { HoleTable(range: range).cover(to: top) }
    highestEnd = max(highestEnd, top)
  }

  /// Counts a newly allocated block and returns the address of its content.
  @inline(__always) mutating func give(_ start: UInt, byteCount: UInt) -> VirtAddr {
    blockCount &+= 1
    countUsed(byteCount)
    return VirtAddr(start &+ BlockLayout.headerByteCount)
  }

  /// Counts bytes that were free as used.
  @inline(__always) mutating func countUsed(_ byteCount: UInt) {
    usedByteCount &+= byteCount
    // A branch, not a maximum: the store is rare.
    if _slowPath(usedByteCount > peakUsedByteCount) { peakUsedByteCount = usedByteCount }
  }
}

// MARK: - Alignments above the granule

extension FirstFitHeap {
  /// The lowest place in `start..<end` for a block of `need` bytes with aligned content, or nil.
  ///
  /// The gap in front of it is empty or large enough for a block.
  static func place(need: UInt, alignment: UInt, from start: UInt, to end: UInt) -> UInt? {
    let header = BlockLayout.headerByteCount
    func aligned(from start: UInt) -> UInt? {
      VirtAddr(start + header).checkedAlignedUp(to: alignment).map { $0.raw - header }
    }
    guard var place = aligned(from: start) else { return nil }
    if place != start, place - start < BlockLayout.minimumBlockByteCount {
      guard let further = aligned(from: start + BlockLayout.minimumBlockByteCount) else { return nil }
      place = further
    }
    return place <= end && end - place >= need ? place : nil
  }

  @inline(never)
  private mutating func allocateAligned(need: UInt, alignment: UInt) -> VirtAddr? {
    let needGranules = UInt32(truncatingIfNeeded: need / BlockLayout.granuleByteCount)
    var next = firstRange
    while let range = next {
      range.holes.settle()
      var candidate = range.holes.lowestHole(ofAtLeast: needGranules)
      while let node = candidate {
        if let place = Self.place(need: need, alignment: alignment, from: node.start, to: node.end) {
          return place == node.start
            ? takeFront(of: node, need: need, in: range) : takeMiddle(of: node, from: place, need: need, in: range)
        }
        candidate = range.holes.nextHole(ofAtLeast: needGranules, after: node)
      }
      let top = range.top
      if let place = Self.place(need: need, alignment: alignment, from: top, to: range.end) {
        return place == top
          ? takeTop(at: top, need: need, in: range) : takeTop(at: place, after: top, need: need, in: range)
      }
      next = range.next
    }
    return nil
  }

  /// Cuts a block of `need` bytes at `place` out of the middle of a hole.
  private mutating func takeMiddle(of node: HoleNode, from place: UInt, need: UInt, in range: HeapRange) -> VirtAddr {
    let start = node.start
    let end = node.end
    checkHole(at: start, byteCount: end - start, in: range)
    let front = place - start
    let frontNode = HoleNode(end: place)
    let frontGranules = UInt32(truncatingIfNeeded: front / BlockLayout.granuleByteCount)
    let back = end - place - need
    if back >= BlockLayout.minimumBlockByteCount {
      range.holes.setSize(of: node, to: UInt32(truncatingIfNeeded: back / BlockLayout.granuleByteCount))
      range.setHeader(at: place + need, byteCount: back, isInUse: false)
      range.holes.insert(frontNode, size: frontGranules)
      indexedHoleCount += 1
    } else {
      range.holes.replace(node, by: frontNode, size: frontGranules)
      range.setBelowIsFree(false, at: end)
    }
    let byteCount = back >= BlockLayout.minimumBlockByteCount ? need : need + back
    range.setHeader(at: start, byteCount: front, isInUse: false)
    range.setHeader(at: place, byteCount: byteCount, isInUse: true, belowIsFree: true)
    return give(place, byteCount: byteCount)
  }

  /// Cuts a block of `need` bytes at `place` out of a top that starts below it; the gap becomes a hole.
  private mutating func takeTop(at place: UInt, after top: UInt, need: UInt, in range: HeapRange) -> VirtAddr {
    let front = place - top
    raiseTop(of: range, to: place + need)
    range.setHeader(at: top, byteCount: front, isInUse: false)
    range.holes.insert(
      HoleNode(end: place), size: UInt32(truncatingIfNeeded: front / BlockLayout.granuleByteCount))
    indexedHoleCount += 1
    range.setHeader(at: place, byteCount: need, isInUse: true, belowIsFree: true)
    return give(place, byteCount: need)
  }
}
