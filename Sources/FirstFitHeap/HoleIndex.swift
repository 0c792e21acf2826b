// The index of the holes of one range: a tree, or a table and a tree.
//
//                                 | tree alone | table and tree
//   ------------------------------+------------+------------------------------
//   hole of fewer than 127        | tree       | table
//   granules, in the table's part |            |
//   larger hole there             | tree       | table, as of 127, and tree
//   hole above that part          | tree       | tree
//
// The table covers the range as it was when the heap got it. A search for fewer than 127 granules asks the table first:
// all its holes lie below those that only the tree has. A search for more asks the tree, which has all such holes.

/// How a heap searches the holes of a range.
public enum FirstFitSearch: Sendable {
  /// By a balanced tree inside the holes: it takes no memory of the range.
  case tree

  /// By a table at the start of the range, which takes 1/110 of it, and a tree for holes of 2 KiB and more. Blocks of
  /// less are allocated and deallocated in half the instructions or fewer. A range of less than 128 KiB gets no table.
  case table
}

/// The holes of a range in address order, searchable by size.
struct HoleIndex {
  let range: HeapRange

  @inline(__always) init(range: HeapRange) {
    self.range = range
  }

  @inline(__always) private var tree: HoleTree { range.tree }

  @inline(__always) private var table: HoleTable { HoleTable(range: range) }

  /// The granule of the range in which the hole of a node ends.
  @inline(__always) private func granule(of node: HoleNode) -> UInt {
    (node.end &- range.base) / BlockLayout.granuleByteCount
  }

  /// Whether a hole that ends in `granule` is in the table.
  @inline(__always) private func isInTable(_ granule: UInt) -> Bool { range.hasTable && granule < table.endGranule }

  /// Whether a hole is in the tree.
  func isInTree(_ node: HoleNode) -> Bool { !isInTable(node) || Self.isLarge(node.size) }

  /// Whether a hole is in the table.
  func isInTable(_ node: HoleNode) -> Bool { isInTable(granule(of: node)) }

  /// Whether a hole in the table is in the tree as well.
  @inline(__always) static func isLarge(_ size: UInt32) -> Bool { size >= UInt32(HoleTable.largestClass) }
}

// MARK: - Searching

extension HoleIndex {
  /// The lowest hole of at least `size` granules.
  /// - Complexity: O(log n)
  @inline(__always) func lowestHole(ofAtLeast size: UInt32) -> HoleNode? {
    if range.hasTable, !Self.isLarge(size), let hole = table.lowestHole(ofAtLeast: size) { return hole.node }
    return tree.lowestHole(ofAtLeast: size)
  }

  /// The next hole of at least `size` granules above `node`, which ``settle()`` must precede.
  /// - Complexity: O(log n)
  func nextHole(ofAtLeast size: UInt32, after node: HoleNode) -> HoleNode? {
    let granule = granule(of: node)
    if Self.isLarge(size) || !isInTable(granule) { return tree.nextHole(ofAtLeast: size, after: node) }
    let stretch = HoleTable.stretch(of: granule)
    let bit = HoleTable.bit(of: granule)
    let above = table.bits(of: stretch) & ~(bit | (bit &- 1))
    if let hole = table.lowestHole(ofAtLeast: size, in: stretch, among: above) { return hole.node }
    if let stretch = table.nextStretch(ofAtLeast: HoleTable.sizeClass(size), after: stretch) {
      return table.promisedHole(ofAtLeast: size, in: stretch).node
    }
    return tree.lowestHole(ofAtLeast: size, above: UInt32(truncatingIfNeeded: table.endGranule))
  }

  /// The size of the largest hole in granules, 0 without a hole.
  var largestSize: UInt32 {
    settle()
    return max(range.largestHole, range.hasTable ? UInt32(table.largestClass) : 0)
  }

  /// Prepares the index for ``nextHole(ofAtLeast:after:)``.
  @inline(__always) func settle() { tree.settle() }
}

// MARK: - Changes

// Holes of the table that are not large come first in each function, and their class is their size. The rest is out of
// line: a pair of calls with small blocks runs none of it.

extension HoleIndex {
  /// Adds the hole whose node is `node`, of `size` granules.
  /// - Complexity: O(log n)
  @_transparent func insert(_ node: HoleNode, size: UInt32) {
    let granule = granule(of: node)
    guard isInTable(granule) else { return tree.insert(node, size: size) }
    if Self.isLarge(size) { return insertLarge(node, size: size) }
    node.size = size
    table.insert(granule, sizeClass: HoleTable.smallClass(size))
  }

  @inline(never) private func insertLarge(_ node: HoleNode, size: UInt32) {
    tree.insert(node, size: size)
    table.insert(granule(of: node), sizeClass: HoleTable.largestClass)
  }

  /// Removes the hole whose node is `node`.
  /// - Complexity: O(log n)
  @_transparent func remove(_ node: HoleNode) {
    let granule = granule(of: node)
    guard isInTable(granule) else { return tree.remove(node) }
    let size = node.size
    if Self.isLarge(size) { return removeLarge(node) }
    table.remove(granule, sizeClass: HoleTable.smallClass(size))
  }

  @inline(never) private func removeLarge(_ node: HoleNode) {
    tree.remove(node)
    table.remove(granule(of: node), sizeClass: HoleTable.largestClass)
  }

  /// Sets the size, in granules, of the hole whose node is `node`.
  /// - Complexity: O(log n)
  @_transparent func setSize(of node: HoleNode, to size: UInt32) {
    let granule = granule(of: node)
    guard isInTable(granule) else { return tree.setSize(of: node, to: size) }
    let old = node.size
    if Self.isLarge(max(old, size)) { return setLargeSize(of: node, to: size) }
    node.size = size
    table.changeClass(of: granule, from: HoleTable.smallClass(old), to: HoleTable.smallClass(size))
  }

  /// Sets the size of a hole that was in the tree, or will be.
  @inline(never) private func setLargeSize(of node: HoleNode, to size: UInt32) {
    let old = node.size
    switch (Self.isLarge(old), Self.isLarge(size)) {
    case (true, true): tree.setSize(of: node, to: size)
    case (true, false):
      tree.remove(node)
      node.size = size
    case (false, _): tree.insert(node, size: size)
    }
    table.changeClass(of: granule(of: node), from: HoleTable.sizeClass(old), to: HoleTable.sizeClass(size))
  }

  /// Replaces a hole by one of `size` granules that ends elsewhere, with no other hole between their ends.
  /// - Complexity: O(log n)
  @_transparent func replace(_ node: HoleNode, by moved: HoleNode, size: UInt32) {
    let granule = granule(of: node)
    let movedGranule = self.granule(of: moved)
    guard isInTable(min(granule, movedGranule)) else {
      tree.move(node, to: moved)
      return tree.setSize(of: moved, to: size)
    }
    if !Self.isLarge(size), node.size <= size, max(granule, movedGranule) < table.endGranule,
      HoleTable.stretch(of: granule) == HoleTable.stretch(of: movedGranule)
    {
      moved.size = size
      table.move(granule, to: movedGranule, sizeClass: HoleTable.smallClass(size))
    } else {
      insert(moved, size: size)
      remove(node)
    }
  }
}
