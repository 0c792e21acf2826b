import Addresses

// Checks every invariant of the heap bottom-up: the records, the blocks, the index against the blocks, the totals. Each
// step relies only on what earlier steps found intact. Whatever overwrote the heap, the check thus ends with a finding
// and not with a fault.

extension FirstFitHeap {
  /// Throws the first inconsistency found.
  /// - Complexity: O(blocks); reads every header and every node.
  public func checkConsistency() throws(HeapInconsistency) {
    var totals = HeapTotals()
    var next = firstRange
    while let range = next {
      try checkRecord(of: range)
      try checkBlocks(of: range, totals: &totals)
      try checkIndex(of: range)
      next = range.next
    }
    let expected = HeapTotals(
      usedByteCount: usedByteCount, blockCount: blockCount, indexedHoleCount: indexedHoleCount)
    if totals != expected || peakUsedByteCount < usedByteCount { throw .wrongTotals }
  }

  private func checkRecord(of range: HeapRange) throws(HeapInconsistency) {
    let aligned = (range.top &- range.first) & (BlockLayout.granuleByteCount - 1) == 0
    let ordered = range.next.map { range.end <= $0.base } ?? true
    guard
      aligned, ordered, range.first <= range.top, range.top <= range.end, range.top <= max(highestEnd, range.first),
      range.end - range.base <= BlockLayout.largestRangeByteCount
    else { throw .damagedRange(VirtAddr(range.base)) }
  }

  private func checkBlocks(of range: HeapRange, totals: inout HeapTotals) throws(HeapInconsistency) {
    var start = range.first
    var belowIsFree = false
    while start < range.top {
      let header = range.header(at: start)
      guard header.isSealed(offset: start - range.base) else { throw .overwrittenHeader(VirtAddr(start)) }
      guard header.byteCount >= BlockLayout.minimumBlockByteCount, header.byteCount <= range.top - start else {
        throw .impossibleSize(VirtAddr(start))
      }
      if belowIsFree, !header.isInUse { throw .adjacentFreeBlocks(VirtAddr(start)) }
      guard header.belowIsFree == belowIsFree else { throw .wrongNeighbour(VirtAddr(start)) }
      belowIsFree = !header.isInUse
      if header.isInUse {
        totals.usedByteCount += header.byteCount
        totals.blockCount += 1
      } else {
        totals.indexedHoleCount += 1
        guard HoleNode(end: start + header.byteCount).byteCount == header.byteCount else {
          throw .differentSizes(VirtAddr(start))
        }
      }
      start += header.byteCount
    }
    if belowIsFree { throw .adjacentFreeBlocks(VirtAddr(range.top)) }
  }

  private func checkIndex(of range: HeapRange) throws(HeapInconsistency) {
    if range.hasTable { try checkTable(of: range) }
    if let open = range.tree.node(range.openLink) {
      guard open.address >= range.first, open.end <= range.top else { throw .brokenLink(VirtAddr(open.address)) }
      range.holes.settle()
    }
    var walk = HoleWalk(range: range, position: range.first)
    let root = try checkSubtree(at: range.rootLink, under: 0, depth: 0, of: range, walk: &walk)
    if let left = walk.nextInTree() { throw .wrongIndex(VirtAddr(left.start)) }
    if root.largest != range.largestHole { throw .wrongLargest(VirtAddr(range.base)) }
  }

  /// Checks that the subtree at `link` is intact and that its nodes are the next holes of `walk`.
  private func checkSubtree(
    at link: UInt32, under parentLink: UInt32, depth: Int, of range: HeapRange, walk: inout HoleWalk
  ) throws(HeapInconsistency) -> (height: Int, largest: UInt32) {
    guard let node = range.tree.node(link) else { return (height: 0, largest: 0) }
    // An AVL tree of 2^30 nodes has at most 44 levels; a deeper path can only be a loop.
    guard depth < 48, node.address >= range.first, node.end <= range.top, node.parentLink == parentLink else {
      throw .brokenLink(VirtAddr(node.address))
    }
    let below = try checkSubtree(at: node.link(.below), under: link, depth: depth + 1, of: range, walk: &walk)
    guard walk.nextInTree() == node else { throw .wrongIndex(VirtAddr(node.address)) }
    let above = try checkSubtree(at: node.link(.above), under: link, depth: depth + 1, of: range, walk: &walk)
    guard node.largest(.below) == below.largest, node.largest(.above) == above.largest else {
      throw .wrongLargest(VirtAddr(node.address))
    }
    let lean: Lean? =
      switch above.height - below.height {
      case -1: Lean(.below)
      case 0: .even
      case 1: Lean(.above)
      default: nil
      }
    guard node.lean == lean else { throw .wrongBalance(VirtAddr(node.address)) }
    return (height: 1 + max(below.height, above.height), largest: node.largestOfSubtree)
  }
}

/// The totals that a check counts.
private struct HeapTotals: Equatable {
  var usedByteCount: UInt = 0
  var blockCount: UInt = 0
  var indexedHoleCount: UInt = 0
}

/// The holes of a range in address order, found by a walk along its blocks.
struct HoleWalk {
  let range: HeapRange
  var position: UInt

  /// The node of the next hole.
  mutating func next() -> HoleNode? {
    while position < range.top {
      let header = range.header(at: position)
      position += header.byteCount
      if !header.isInUse { return HoleNode(end: position) }
    }
    return nil
  }

  /// The node of the next hole that is in the tree.
  mutating func nextInTree() -> HoleNode? {
    while let node = next() {
      if range.holes.isInTree(node) { return node }
    }
    return nil
  }
}
