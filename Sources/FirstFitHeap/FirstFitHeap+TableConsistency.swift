import Addresses

// Checks a table against the holes that a walk along the blocks finds: the lists, then the levels, bottom-up.

extension FirstFitHeap {
  /// Throws when the table of `range`, whose blocks are intact, differs from its holes.
  /// - Complexity: O(blocks and stretches)
  func checkTable(of range: HeapRange) throws(HeapInconsistency) {
    let table = HoleTable(range: range)
    let damaged = HeapInconsistency.wrongTable(VirtAddr(range.base))
    guard table.isLaidOut(forTop: range.top) else { throw damaged }
    var walk = HoleWalk(range: range, position: range.first)
    var hole = walk.next()
    for stretch in 0..<table.coveredStretchCount {
      var largest: UInt8 = 0
      var link = table.largestClass(ofStretch: stretch) == 0 ? 0 : table.head(of: stretch)
      while let node = hole, range.holes.isInTable(node),
        HoleTable.stretch(of: range.tree.link(to: node)) == stretch
      {
        guard link == range.tree.link(to: node) else { throw .wrongTable(VirtAddr(node.start)) }
        largest = max(largest, HoleTable.sizeClass(node.size))
        link = table.next(node)
        hole = walk.next()
      }
      guard link == 0, table.largestClass(ofStretch: stretch) == largest else { throw damaged }
    }
    if let hole, range.holes.isInTable(hole) { throw .wrongTable(VirtAddr(hole.start)) }
    guard table.hasExactLevels else { throw damaged }
  }
}

extension HoleTable {
  /// The number of stretches whose bytes are valid.
  var coveredStretchCount: UInt { (coveredEnd - range.base) / Self.stretchByteCount }

  /// Whether the head of the table is what it was made to be, and covers up to `top`.
  func isLaidOut(forTop top: UInt) -> Bool {
    let groupByteCount = Self.stretchByteCount * Self.groupByteCount
    guard coveredEnd >= range.base, (coveredEnd - range.base) % groupByteCount == 0, coveredEnd >= min(top, end),
      coveredEnd < end + groupByteCount
    else { return false }
    var groupCount = (coveredEnd - range.base) / groupByteCount
    var root: UInt = 0
    while groupCount > 1 {
      groupCount = (groupCount + Self.groupByteCount - 1) / Self.groupByteCount
      root += 1
    }
    return rootLevel == root && hasLayout
  }

  /// Whether each byte of a level above 0 is the largest of its group, and 0 past the last group.
  var hasExactLevels: Bool {
    var groupCount = coveredStretchCount / Self.groupByteCount
    var number: UInt = 0
    while number < rootLevel {
      let above = (groupCount + Self.groupByteCount - 1) / Self.groupByteCount
      for group in 0..<above * Self.groupByteCount {
        let largest =
          group < groupCount ? largestByte(ofGroupAt: level(number) + group * Self.groupByteCount) : 0
        guard HeapMemory.byte(at: level(number + 1) + group) == largest else { return false }
      }
      groupCount = above
      number += 1
    }
    return true
  }
}
