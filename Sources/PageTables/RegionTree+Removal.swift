public import Addresses
public import MemoryProtocols

// Removal. A node that lost an element becomes one with a neighbour when both fit in half a frame. It does not take
// elements from a neighbour instead: that would touch more records, and save no frame.

extension RegionTree {
  /// Removes a record of the tree; traps when it is not there.
  /// - Complexity: O(log n) for n records
  @inlinable
  public mutating func remove(_ record: Record, _ frames: inout some FrameAllocator & ~Copyable) {
    remove(record)
    releaseSpares(&frames)
  }

  /// Removes a record; a frame that is left over becomes a spare.
  @inlinable
  mutating func remove(_ record: Record) {
    _ = remove(record, below: root, level: height)
    recordCount -= 1
    while height > 0, inner(root).count == 1 {
      let frame = root
      root = inner(frame)[0].node
      height -= 1
      discard(frame)
    }
    if recordCount == 0 { height = 0 }
  }

  /// Removes a record below a node; returns whether what the node above says of this one may have changed.
  @inlinable
  mutating func remove(_ record: Record, below frame: PhysAddr, level: Int) -> Bool {
    if level == 0 {
      let node = leaf(frame)
      node.remove(at: index(of: record, in: node))
      return true
    }
    let node = inner(frame)
    let index = index(of: record, in: node)
    guard remove(record, below: node[index].node, level: level - 1) else { return false }
    let isMerged =
      level == 1
      ? mergeChild(at: index, of: node, RegionNode<Record>.self)
      : mergeChild(at: index, of: node, RegionNode<RegionSubtree>.self)
    return isMerged || update(index, of: node, level: level)
  }

  /// Frees a child of a node when it is empty, or merges it with a neighbour when both fit in half a frame; returns
  /// whether it did.
  @inlinable
  mutating func mergeChild<Element: RegionRecord>(
    at index: Int, of node: RegionNode<RegionSubtree>, _ kind: RegionNode<Element>.Type
  ) -> Bool {
    let frame = node[index].node
    let child = RegionNode<Element>(in: frame, mapper)
    if child.count == 0 {
      node.remove(at: index)
      discard(frame)
      return true
    }
    if index + 1 < node.count {
      let next = RegionNode<Element>(in: node[index + 1].node, mapper)
      if child.count + next.count <= child.capacity / 2 {
        merge(child, at: index, next, in: node)
        return true
      }
    }
    if index > 0 {
      let previous = RegionNode<Element>(in: node[index - 1].node, mapper)
      if previous.count + child.count <= child.capacity / 2 {
        merge(previous, at: index - 1, child, in: node)
        return true
      }
    }
    return false
  }

  /// Moves the elements of a node's child at `index + 1` to the one at `index`.
  @inlinable
  mutating func merge<Element: RegionRecord>(
    _ left: RegionNode<Element>, at index: Int, _ right: RegionNode<Element>, in node: RegionNode<RegionSubtree>
  ) {
    left.append(right)
    discard(node[index + 1].node)
    node.remove(at: index + 1)
    node[index] = left.summary(in: node[index].node)
  }

  /// Keeps a frame that the tree no longer needs as a spare.
  @inlinable
  mutating func discard(_ frame: PhysAddr) {
    spares.push(frame, mapper)
    nodeCount -= 1
  }
}
