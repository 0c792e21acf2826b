import Assertions

// The index of the holes of one range: a balanced tree in address order. Every node records the largest hole in each of
// its two subtrees.
//
// First fit needs the lowest hole of at least s granules. Let L(n, side) be the largest size in a subtree of node n:
//
//   L(n, side) = 0 for an empty subtree, else max(size(c), L(c, below), L(c, above)) for its root c
//   address(every node below n) < address(n) < address(every node above n)
//   |height(below n) - height(above n)| <= 1                                     (AVL)
//   parent(c) = n for both children c of n;  largestHole of the range = max over the root
//
// The search starts at the root, where some hole is known to fit. It goes below when L(n, below) >= s, else takes n
// when size(n) >= s, else goes above. It never backtracks, so it is exact and takes at most 1.44 log2 n steps. The
// maxima lie in the parent, so each step touches one cache line.
//
// First fit cuts many requests in a row from one hole, and a block is often freed soon after it was cut: the maxima
// above that hole would go down and up again each time. So one node, the open one, may postpone the walk that lowers
// them. Meanwhile the maxima above it, and no others, may be too high:
//
//   L(p, side of c) >= max(size(c), L(c, below), L(c, above)), with equality for every child c but the open node
//
// Maxima that are too high can only make the search end without a hole, below an ancestor of the open node. The search
// then does the postponed walk (`settle`) and starts again. A rotation would hide stale maxima from that walk, so
// `settle` also runs before a rotation, and before another node becomes the open one.
//
// Why not the Cartesian tree of Stephenson's fast fits (CACM 1983), which needs no maxima? Its height depends on the
// order of the sizes, and first fit itself sorts holes by size, small ones in front, which is its worst case. Why AVL
// and not a treap or a red-black tree? The tree is read at cache-miss cost and written rarely, and AVL is the
// shallowest of them (1.01 log2 n on average). The parent stores the lean, so rebalancing need not read the sibling.
//
// Sources: Adelson-Velsky and Landis 1962; Knuth, TAOCP 3, section 6.2.3; for trees whose nodes keep a summary of their
// subtrees, Cormen et al., chapter "Augmenting data structures".

/// The holes of a range in address order, searchable by size.
struct HoleTree {
  let range: HeapRange

  @inline(__always) init(range: HeapRange) {
    self.range = range
  }

  /// The address that link 0 would point to.
  @inline(__always) private var origin: UInt {
    range.base &+ BlockLayout.headerByteCount &- BlockLayout.nodeByteCount
  }

  /// The node that `link` points to; nil for 0.
  @inline(__always) func node(_ link: UInt32) -> HoleNode? {
    link == 0 ? nil : HoleNode(address: origin &+ UInt(link) &* BlockLayout.granuleByteCount)
  }

  /// The node that a link other than 0 points to.
  @inline(__always) func node(unchecked link: UInt32) -> HoleNode { node(endingIn: UInt(link)) }

  /// The node of the hole that ends in a granule of the range.
  @inline(__always) func node(endingIn granule: UInt) -> HoleNode {
    HoleNode(address: origin &+ granule &* BlockLayout.granuleByteCount)
  }

  /// The link to a node.
  @inline(__always) func link(to node: HoleNode) -> UInt32 {
    UInt32(truncatingIfNeeded: (node.address &- origin) / BlockLayout.granuleByteCount)
  }

  @inline(__always) var root: HoleNode? { node(range.rootLink) }

  @inline(__always) func child(of node: HoleNode, _ side: Side) -> HoleNode? { self.node(node.link(side)) }

  @inline(__always) func parent(of node: HoleNode) -> HoleNode? { self.node(node.parentLink) }

  /// The side of `parent` on which a node lies: the tree is in address order.
  @inline(__always) func side(of node: HoleNode, under parent: HoleNode) -> Side {
    node.address < parent.address ? .below : .above
  }
}

// MARK: - Searching

extension HoleTree {
  /// The lowest hole of at least `size` granules.
  /// - Complexity: O(log n)
  @inline(__always) func lowestHole(ofAtLeast size: UInt32) -> HoleNode? {
    while range.largestHole >= size {
      guard let root else { corrupted(range.base) }
      if let node = lowestHole(ofAtLeast: size, from: root) { return node }
      if range.openLink == 0 { corrupted(range.base) }
      settle()
    }
    return nil
  }

  /// The lowest hole of at least `size` granules in the subtree of `node`, where the maxima promise one.
  private func lowestHole(ofAtLeast size: UInt32, from node: HoleNode) -> HoleNode? {
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
      guard let child = child(of: node, side) else { return nil }
      node = child
    }
  }

  /// The next hole of at least `size` granules above `node` in address order; no node may be open.
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

  /// The lowest hole of at least `size` granules whose link is at least `end`; no node may be open.
  /// - Complexity: O(log n)
  func lowestHole(ofAtLeast size: UInt32, above end: UInt32) -> HoleNode? {
    var next = root
    var below: HoleNode?
    while let node = next {
      let isBelow = link(to: node) < end
      if isBelow { below = node }
      next = child(of: node, isBelow ? .above : .below)
    }
    return below.map { nextHole(ofAtLeast: size, after: $0) } ?? lowestHole(ofAtLeast: size)
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
