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

  /// By a table at the start of the range, which takes 1/500 of it, and a tree for holes of 2 KiB and more. Blocks of
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

  /// Whether the hole with this link is in the table.
  @inline(__always) private func isInTable(_ link: UInt32) -> Bool { range.hasTable && link < table.linkEnd }

  /// Whether a hole is in the tree.
  func isInTree(_ node: HoleNode) -> Bool { !isInTable(tree.link(to: node)) || Self.isLarge(node.size) }

  /// Whether a hole is in the table.
  func isInTable(_ node: HoleNode) -> Bool { isInTable(tree.link(to: node)) }

  /// Whether a hole in the table is in the tree as well.
  @inline(__always) private static func isLarge(_ size: UInt32) -> Bool { size >= UInt32(HoleTable.largestClass) }
}

// MARK: - Searching

extension HoleIndex {
  /// The lowest hole of at least `size` granules.
  /// - Complexity: O(log n)
  @_transparent func lowestHole(ofAtLeast size: UInt32) -> HoleNode? {
    if range.hasTable, !Self.isLarge(size),
      let stretch = table.lowestStretch(ofAtLeast: HoleTable.sizeClass(size))
    {
      return table.lowestHole(ofAtLeast: size, in: stretch)
    }
    return tree.lowestHole(ofAtLeast: size)
  }

  /// The next hole of at least `size` granules above `node`, which ``settle()`` must precede.
  /// - Complexity: O(log n)
  func nextHole(ofAtLeast size: UInt32, after node: HoleNode) -> HoleNode? {
    let link = tree.link(to: node)
    if Self.isLarge(size) || !isInTable(link) { return tree.nextHole(ofAtLeast: size, after: node) }
    var next = table.next(node)
    while next != 0 {
      let hole = tree.node(unchecked: next)
      if hole.size >= size { return hole }
      next = table.next(hole)
    }
    if let stretch = table.nextStretch(ofAtLeast: HoleTable.sizeClass(size), after: HoleTable.stretch(of: link)) {
      return table.lowestHole(ofAtLeast: size, in: stretch)
    }
    return tree.lowestHole(ofAtLeast: size, above: table.linkEnd)
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

extension HoleIndex {
  /// Adds the hole whose node is `node`, of `size` granules.
  /// - Complexity: O(log n)
  @_transparent func insert(_ node: HoleNode, size: UInt32) {
    let link = tree.link(to: node)
    guard isInTable(link) else { return tree.insert(node, size: size) }
    if Self.isLarge(size) { tree.insert(node, size: size) } else { node.size = size }
    table.insert(node, link: link)
  }

  /// Removes the hole whose node is `node`.
  /// - Complexity: O(log n)
  @_transparent func remove(_ node: HoleNode) {
    let link = tree.link(to: node)
    guard isInTable(link) else { return tree.remove(node) }
    table.remove(node, link: link)
    if Self.isLarge(node.size) { tree.remove(node) }
  }

  /// Sets the size, in granules, of the hole whose node is `node`.
  /// - Complexity: O(log n)
  @_transparent func setSize(of node: HoleNode, to size: UInt32) {
    let link = tree.link(to: node)
    guard isInTable(link) else { return tree.setSize(of: node, to: size) }
    let old = node.size
    if Self.isLarge(old) || Self.isLarge(size) {
      setLargeSize(of: node, to: size)
    } else {
      node.size = size
    }
    table.changeClass(
      ofHoleIn: HoleTable.stretch(of: link), from: HoleTable.sizeClass(old), to: HoleTable.sizeClass(size))
  }

  /// Sets the size of a hole that was in the tree, or will be.
  @inline(never) private func setLargeSize(of node: HoleNode, to size: UInt32) {
    let next = table.next(node)
    switch (Self.isLarge(node.size), Self.isLarge(size)) {
    case (true, true): tree.setSize(of: node, to: size)
    case (true, false):
      tree.remove(node)
      node.size = size
    case (false, _): tree.insert(node, size: size)
    }
    table.setNext(node, next)
  }

  /// Replaces a hole by one of `size` granules that ends elsewhere, with no other hole between their ends.
  /// - Complexity: O(log n)
  @_transparent func replace(_ node: HoleNode, by moved: HoleNode, size: UInt32) {
    let link = tree.link(to: node)
    let movedLink = tree.link(to: moved)
    if isInTable(max(link, movedLink)) {
      let old = node.size
      if !Self.isLarge(max(old, size)), HoleTable.stretch(of: link) == HoleTable.stretch(of: movedLink) {
        moved.size = size
        table.move(node, link: link, to: moved, link: movedLink)
        table.changeClass(
          ofHoleIn: HoleTable.stretch(of: link), from: HoleTable.sizeClass(old), to: HoleTable.sizeClass(size))
        return
      }
    } else if !isInTable(min(link, movedLink)) {
      tree.move(node, to: moved)
      tree.setSize(of: moved, to: size)
      return
    }
    remove(node)
    insert(moved, size: size)
  }
}
