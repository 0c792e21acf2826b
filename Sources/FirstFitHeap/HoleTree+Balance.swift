// Keeps the two subtrees of every node within one level of each other (AVL; Knuth, TAOCP 3, 6.2.3, algorithm A).
//
// Both walks go up the parent links from the subtree whose height changed, and end where the height is as before. A
// rotation changes the heights and maxima of two nodes and reads only fields of these two.

extension HoleTree {
  /// Restores the balance above `node`, whose subtree grew by one level.
  func rebalanceAfterGrowth(of node: HoleNode) {
    var node = node
    while let parent = parent(of: node) {
      let side = side(of: node, under: parent)
      if parent.lean == .even {
        parent.lean = Lean(side)
        node = parent
      } else if parent.lean == Lean(side) {
        _ = straighten(parent, side)
        return
      } else {
        parent.lean = .even
        return
      }
    }
  }

  /// Restores the balance from `node` upwards after its subtree on `side` shrank by one level.
  func rebalanceAfterLoss(under node: HoleNode, _ side: Side) {
    var node = node
    var side = side
    while true {
      let parent = parent(of: node)
      let nextSide = parent.map { self.side(of: node, under: $0) }
      if node.lean == .even {
        node.lean = Lean(side.opposite)
        return
      } else if node.lean == Lean(side) {
        node.lean = .even
      } else if !straighten(node, side.opposite) {
        return
      }
      guard let parent, let nextSide else { return }
      node = parent
      side = nextSide
    }
  }

  /// Restores the balance of `node`, whose subtree on `side` is two levels higher than the other.
  ///
  /// - Returns: Whether the subtree of `node` is one level lower than before.
  private func straighten(_ node: HoleNode, _ side: Side) -> Bool {
    settle()
    guard let child = child(of: node, side) else { corrupted(node.address) }
    if child.lean == Lean(side.opposite) {
      guard let grandchild = self.child(of: child, side.opposite) else { corrupted(child.address) }
      let lean = grandchild.lean
      lift(grandchild, over: child, side.opposite)
      lift(grandchild, over: node, side)
      node.lean = lean == Lean(side) ? Lean(side.opposite) : .even
      child.lean = lean == Lean(side.opposite) ? Lean(side) : .even
      grandchild.lean = .even
      return true
    }
    lift(child, over: node, side)
    if child.lean == .even {
      node.lean = Lean(side)
      child.lean = Lean(side.opposite)
      return false
    }
    node.lean = .even
    child.lean = .even
    return true
  }

  /// Rotates: `child`, the child of `node` on `side`, becomes its parent; the subtree between them changes hands.
  private func lift(_ child: HoleNode, over node: HoleNode, _ side: Side) {
    let nodeLink = link(to: node)
    let childLink = link(to: child)
    let innerLink = child.link(side.opposite)
    replaceChild(node, of: parent(of: node), with: childLink)
    child.parentLink = node.parentLink
    node.setLink(side, innerLink)
    node.setLargest(side, child.largest(side.opposite))
    self.node(innerLink)?.parentLink = nodeLink
    child.setLink(side.opposite, nodeLink)
    child.setLargest(side.opposite, node.largestOfSubtree)
    node.parentLink = childLink
  }
}
