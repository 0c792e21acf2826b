import Contracts

// The index of the holes of one range: a balanced tree in address order in which every node knows the largest hole of
// each of its two subtrees.
//
// First fit wants the lowest hole of at least s granules. With L(n, side) the largest size in a subtree of node n:
//
//   L(n, side) = 0 for an empty subtree, else max(size(c), L(c, below), L(c, above)) for its root c
//   address(every node below n) < address(n) < address(every node above n)
//   |height(below n) - height(above n)| <= 1                                     (AVL)
//   parent(c) = n for both children c of n;  largestHole of the range = max over the root
//
// the search starts at the root, knowing that some hole fits, and goes below when L(n, below) >= s, else takes n when
// size(n) >= s, else goes above. No step is ever undone, so it is exact and takes at most 1.44 log2 n steps; since the
// maxima lie in the parent, each step touches one cache line.
//
// Why this and not the Cartesian tree of Stephenson's fast fits (CACM 1983), which needs no maxima: that tree is as high
// as the sizes are unlucky, and first fit itself sorts holes by size, small ones at the front, which is its worst case.
// Why AVL and not a treap or a red-black tree: the tree is read at cache-miss cost and written rarely; AVL is the
// shallowest of them (1.01 log2 n on average), and its lean is known in the parent, without a look at the sibling.
//
// Sources: Adelson-Velsky and Landis 1962; Knuth, TAOCP 3, section 6.2.3; for trees whose nodes keep a summary of their
// subtrees, Cormen et al., chapter "Augmenting data structures".

/// The holes of a range in address order, searchable by size.
struct HoleTree {
  let range: HeapRange

  @inline(__always) init(range: HeapRange) {
    self.range = range
  }

  /// Where link 0 would point.
  @inline(__always) private var origin: UInt {
    range.base &+ BlockLayout.headerByteCount &- BlockLayout.nodeByteCount
  }

  /// The node that a link other than 0 points to.
  @inline(__always) func node(_ link: UInt32) -> HoleNode? {
    link == 0 ? nil : HoleNode(address: origin &+ UInt(link) &* BlockLayout.granuleByteCount)
  }

  /// The link to a node.
  @inline(__always) func link(to node: HoleNode) -> UInt32 {
    UInt32(truncatingIfNeeded: (node.address &- origin) / BlockLayout.granuleByteCount)
  }

  @inline(__always) var root: HoleNode? { node(range.rootLink) }

  @inline(__always) func child(of node: HoleNode, _ side: Side) -> HoleNode? { self.node(node.link(side)) }

  @inline(__always) func parent(of node: HoleNode) -> HoleNode? { self.node(node.parentLink) }

  /// On which side of `parent` a node lies: the order of the tree is that of the addresses.
  @inline(__always) func side(of node: HoleNode, under parent: HoleNode) -> Side {
    node.address < parent.address ? .below : .above
  }
}

// MARK: - Searching

extension HoleTree {
  /// The lowest hole of at least `size` granules; there must be one.
  /// - Complexity: O(log n)
  func lowestHole(ofAtLeast size: UInt32) -> HoleNode {
    guard let root else { corrupted(range.base) }
    return lowestHole(ofAtLeast: size, from: root)
  }

  /// The lowest hole of at least `size` granules in the subtree of `node`; there must be one.
  @inline(__always) private func lowestHole(ofAtLeast size: UInt32, from node: HoleNode) -> HoleNode {
    var node = node
    while true {
      let side: Side
      if node.largest(.below) >= size {
        side = .below
      } else if node.size >= size {
        return node
      } else {
        side = .above
      }
      guard let child = child(of: node, side) else { corrupted(node.address) }
      node = child
    }
  }

  /// The next hole of at least `size` granules above `node` in address order.
  /// - Complexity: O(log n)
  func nextHole(ofAtLeast size: UInt32, after node: HoleNode) -> HoleNode? {
    if node.largest(.above) >= size, let child = child(of: node, .above) {
      return lowestHole(ofAtLeast: size, from: child)
    }
    var node = node
    while let parent = parent(of: node) {
      if side(of: node, under: parent) == .below {
        if parent.size >= size { return parent }
        if parent.largest(.above) >= size, let child = child(of: parent, .above) {
          return lowestHole(ofAtLeast: size, from: child)
        }
      }
      node = parent
    }
    return nil
  }
}

// MARK: - Changing

extension HoleTree {
  /// Adds the hole whose node is `node`, of `size` granules.
  /// - Complexity: O(log n)
  func insert(_ node: HoleNode, size: UInt32) {
    node.setLink(.below, 0)
    node.setLink(.above, 0)
    node.setLargest(.below, 0)
    node.setLargest(.above, 0)
    node.size = size
    range.largestHole = max(range.largestHole, size)
    let link = link(to: node)
    guard var parent = root else {
      node.upAndLean = 0
      range.rootLink = link
      return
    }
    // An insertion only raises maxima, and it raises them on this path: no second walk for them.
    while true {
      let side = side(of: node, under: parent)
      if parent.largest(side) < size { parent.setLargest(side, size) }
      guard let child = child(of: parent, side) else {
        parent.setLink(side, link)
        break
      }
      parent = child
    }
    node.upAndLean = self.link(to: parent) << 2
    rebalanceAfterGrowth(of: node)
  }

  /// Takes the hole whose node is `node` out.
  /// - Complexity: O(log n)
  func remove(_ node: HoleNode) {
    if node.link(.below) != 0, let child = child(of: node, .above) {
      // The successor gives up its own place, where it has at most one child, and takes over the node's.
      let successor = lowest(from: child)
      // The maxima learn of it first: a rotation on the way would carry a stale one to where no later walk looks.
      node.size = successor.size
      updateMaxima(above: node)
      unlink(successor)
      move(node, to: successor)
    } else {
      unlink(node)
    }
  }

  /// Puts a hole in the place of the one whose node is `node`: the hole grew or shrank at its end.
  ///
  /// The maxima above stay as they are; the size is taken along.
  /// - Complexity: O(1)
  func move(_ node: HoleNode, to moved: HoleNode) {
    moved.setLink(.below, node.link(.below))
    moved.setLink(.above, node.link(.above))
    moved.setLargest(.below, node.largest(.below))
    moved.setLargest(.above, node.largest(.above))
    moved.size = node.size
    moved.upAndLean = node.upAndLean
    let link = link(to: moved)
    replaceChild(node, of: parent(of: moved), with: link)
    child(of: moved, .below)?.parentLink = link
    child(of: moved, .above)?.parentLink = link
  }

  /// Makes the maxima above `node` agree with it after its size changed.
  /// - Complexity: O(log n); ends at the first ancestor that another hole decides.
  func updateMaxima(above node: HoleNode) {
    var node = node
    var largest = node.largestOfSubtree
    while let parent = parent(of: node) {
      let side = side(of: node, under: parent)
      if parent.largest(side) == largest { return }
      parent.setLargest(side, largest)
      node = parent
      largest = node.largestOfSubtree
    }
    range.largestHole = largest
  }

  /// Takes out a node that has at most one child.
  private func unlink(_ node: HoleNode) {
    let childLink = node.link(.below) | node.link(.above)
    let parent = parent(of: node)
    replaceChild(node, of: parent, with: childLink)
    self.node(childLink)?.parentLink = node.parentLink
    let largest = max(node.largest(.below), node.largest(.above))
    guard let parent else {
      range.largestHole = largest
      return
    }
    let side = side(of: node, under: parent)
    parent.setLargest(side, largest)
    updateMaxima(above: parent)
    rebalanceAfterLoss(under: parent, side)
  }

  /// Makes the link from `parent`, or that to the root, point to another node.
  func replaceChild(_ node: HoleNode, of parent: HoleNode?, with link: UInt32) {
    let old = self.link(to: node)
    if let parent {
      let side = side(of: node, under: parent)
      if parent.link(side) != old { corrupted(node.address) }
      parent.setLink(side, link)
    } else {
      if range.rootLink != old { corrupted(node.address) }
      range.rootLink = link
    }
  }

  /// The lowest hole in the subtree of `node`.
  func lowest(from node: HoleNode) -> HoleNode {
    var node = node
    while let child = child(of: node, .below) { node = child }
    return node
  }

  /// Ends the process: a hole was written to after it was freed.
  func corrupted(_ address: UInt) -> Never {
    fail("heap corrupted, freed memory was written to, near", UInt64(address))
  }
}
