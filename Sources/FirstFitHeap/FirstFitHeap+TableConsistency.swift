import Addresses

// Checks a table against the holes that a walk along the blocks finds: the stretches, then the levels, bottom-up.

extension FirstFitHeap {
  /// Throws when the table of `range`, whose blocks are intact, differs from its holes.
  /// - Complexity: O(blocks and stretches)
  func checkTable(of range: HeapRange) throws(HeapInconsistency) {
    let table = HoleTable(range: range)
    let damaged = HeapInconsistency.wrongTable(VirtAddr(range.base))
    guard table.isLaidOut(forTop: range.top) else { throw damaged }
    var walk = HoleWalk(range: range, position: range.first)
    var hole = walk.next()
    for stretch in table.coveredStretches {
      var largest: UInt8 = 0
      var bits: UInt64 = 0
      while let node = hole, range.holes.isInTable(node),
        HoleTable.stretch(of: UInt(range.tree.link(to: node))) == stretch
      {
        largest = max(largest, HoleTable.sizeClass(node.size))
        bits |= HoleTable.bit(of: UInt(range.tree.link(to: node)))
        hole = walk.next()
      }
      guard table.bits(of: stretch) == bits, table.largestClass(ofStretch: stretch) == largest else { throw damaged }
    }
    if let hole, range.holes.isInTable(hole) { throw .wrongTable(VirtAddr(hole.start)) }
    guard table.hasExactLevels else { throw damaged }
  }
}

extension HoleTable {
  /// The first and the last group of leaves that are valid.
  private var coveredLeaves: (first: UInt, last: UInt) { (leafGroup(of: range.first), leafGroup(of: coveredEnd - 1)) }

  /// The stretches whose bytes and bits are valid.
  var coveredStretches: Range<UInt> {
    let (first, last) = coveredLeaves
    return first - firstLeaf..<last + Self.groupByteCount - firstLeaf
  }

  /// Whether the head of the table is what it was made to be, and covers up to `top`.
  func isLaidOut(forTop top: UInt) -> Bool {
    guard hasLayout, coveredEnd > range.first, (coveredEnd - range.base) % Self.groupSpanByteCount == 0,
      coveredEnd >= min(top, end), coveredEnd < end + Self.groupSpanByteCount
    else { return false }
    return root == rootGroup(above: coveredLeaves.last)
  }

  /// Whether each byte of a level above the leaves is the largest of its group, and 0 outside the valid groups.
  var hasExactLevels: Bool {
    var (first, last) = coveredLeaves
    while first != root {
      let parents = parent(of: first)...parent(of: last)
      for place in Self.group(of: parents.lowerBound)..<Self.group(of: parents.upperBound) + Self.groupByteCount {
        let largest = parents.contains(place) ? largestByte(of: group(below: place)) : 0
        guard byte(at: place) == largest else { return false }
      }
      (first, last) = (Self.group(of: parents.lowerBound), Self.group(of: parents.upperBound))
    }
    return byte(at: parent(of: root)) == Self.sentinel
  }
}
