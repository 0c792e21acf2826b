// Insertion, removal, moves and size changes of holes.

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
    // An insertion only raises maxima, and does so on this path: no second walk is needed.
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

  /// Removes the hole whose node is `node`.
  /// - Complexity: O(log n)
  func remove(_ node: HoleNode) {
    if node.link(.below) != 0, let child = child(of: node, .above) {
      // The successor leaves its place, where it has at most one child, and takes the node's.
      let successor = lowest(from: child)
      node.size = successor.size
      updateMaxima(above: node)
      unlink(successor)
      move(node, to: successor)
    } else {
      unlink(node)
    }
  }

  /// Removes a node that has at most one child.
  private func unlink(_ node: HoleNode) {
    if range.openLink != link(to: node) { settle() }
    let childLink = node.link(.below) | node.link(.above)
    let parent = parent(of: node)
    replaceChild(node, of: parent, with: childLink)
    self.node(childLink)?.parentLink = node.parentLink
    let largest = max(node.largest(.below), node.largest(.above))
    guard let parent else {
      range.openLink = 0
      range.largestHole = largest
      return
    }
    let side = side(of: node, under: parent)
    parent.setLargest(side, largest)
    range.openLink = link(to: parent)
    rebalanceAfterLoss(under: parent, side)
  }

  /// Replaces the node of a hole that grew or shrank at its end.
  ///
  /// The maxima above stay as they are; the size moves along.
  /// - Complexity: O(1)
  func move(_ node: HoleNode, to moved: HoleNode) {
    moved.setLink(.below, node.link(.below))
    moved.setLink(.above, node.link(.above))
    moved.setLargest(.below, node.largest(.below))
    moved.setLargest(.above, node.largest(.above))
    moved.size = node.size
    moved.upAndLean = node.upAndLean
    let link = link(to: moved)
    if range.openLink == self.link(to: node) { range.openLink = link }
    replaceChild(node, of: parent(of: moved), with: link)
    child(of: moved, .below)?.parentLink = link
    child(of: moved, .above)?.parentLink = link
  }

  /// Redirects the link from `parent`, or from the root, to another node.
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
}

// MARK: - Sizes

extension HoleTree {
  /// Sets the size, in granules, of the hole whose node is `node`.
  /// - Complexity: O(log n); O(1) when the hole shrinks and was the last one to do so.
  @inline(__always) func setSize(of node: HoleNode, to size: UInt32) {
    node.size = size
    let largest = node.largestOfSubtree
    let noted = parent(of: node).map { $0.largest(side(of: node, under: $0)) } ?? range.largestHole
    if largest > noted {
      raiseMaxima(above: node, to: largest)
    } else if largest < noted {
      let link = link(to: node)
      if range.openLink != link {
        settle()
        range.openLink = link
      }
    }
  }

  /// Raises every maximum above `node` to at least `largest`.
  private func raiseMaxima(above node: HoleNode, to largest: UInt32) {
    var node = node
    while let parent = parent(of: node) {
      let side = side(of: node, under: parent)
      if parent.largest(side) >= largest { return }
      parent.setLargest(side, largest)
      node = parent
    }
    range.largestHole = max(range.largestHole, largest)
  }

  /// Lowers the maxima above the open node, if there is one, to their true values.
  /// - Complexity: O(log n)
  @inline(__always) func settle() {
    if let node = node(range.openLink) {
      range.openLink = 0
      updateMaxima(above: node)
    }
  }

  /// Updates the maxima above `node`.
  /// - Complexity: O(log n); ends at the first ancestor whose maximum another hole sets.
  private func updateMaxima(above node: HoleNode) {
    var node = node
    var largest = node.largestOfSubtree
    while let parent = parent(of: node) {
      let side = side(of: node, under: parent)
      if parent.largest(side) == largest { return }
      parent.setLargest(side, largest)
      largest = max(max(largest, parent.largest(side.opposite)), parent.size)
      node = parent
    }
    range.largestHole = largest
  }
}
