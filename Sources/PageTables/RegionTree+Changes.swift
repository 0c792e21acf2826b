public import Addresses
public import Assertions
public import MemoryProtocols

// Insertion and replacement. Both go down to a leaf and, on the way back, bring up to date what the nodes above say of
// those below, as far up as that changes. So does removal (`RegionTree+Removal.swift`).

extension RegionTree {
  /// Inserts a record; false, with everything unchanged, when a node must split and there is no frame for it.
  ///
  /// Traps when the record overlaps another.
  /// - Complexity: O(log n) for n records
  @inlinable
  public mutating func insert(_ record: Record, _ frames: inout some FrameAllocator & ~Copyable) -> Bool {
    guard reserve(at: record.last, nil, &frames) else { return false }
    insert(record)
    releaseSpares(&frames)
    return true
  }

  /// Replaces a record of the tree; traps when it is not there, and when the new one overlaps another.
  /// - Complexity: O(log n) for n records; the new one costs less if it has the same interval.
  @inlinable
  public mutating func replace(_ record: Record, with new: Record) {
    _ = replace(record, with: new, below: root, level: height)
  }

  // MARK: Preparation

  /// Takes the frames that an insertion at `address` may need, and another at `other`, which is higher; false, with
  /// everything unchanged, when there are too few.
  @inlinable
  mutating func reserve(
    at address: VirtAddr, _ other: VirtAddr?, _ frames: inout some FrameAllocator & ~Copyable
  ) -> Bool {
    var needed = frameCountNeeded(at: address)
    if let other { needed += frameCountNeeded(at: other) }
    if needed == 0 { return true }
    guard let chain = TableChain.allocate(needed, of: .size4KiB, &frames, mapper) else { return false }
    spares = chain
    return true
  }

  /// How many frames an insertion at `address` may need, after at most one insertion elsewhere: one for each node from
  /// the leaf upwards without room for two, and one for a new root.
  @inlinable
  func frameCountNeeded(at address: VirtAddr) -> Int {
    var needed = 1
    var frame = root
    var level = height
    while level > 0 {
      let node = inner(frame)
      needed = node.count + 2 <= node.capacity ? 0 : needed + 1
      frame = node[min(node.firstIndex(reaching: address), node.count - 1)].node
      level -= 1
    }
    let node = leaf(frame)
    return node.count + 2 <= node.capacity ? 0 : needed + 1
  }

  /// Frees the frames that were not needed.
  @inlinable
  mutating func releaseSpares(_ frames: inout some FrameAllocator & ~Copyable) {
    if spares.count > 0 { spares.deallocate(of: .size4KiB, to: &frames, mapper) }
  }

  @inlinable
  mutating func takeSpare() -> PhysAddr {
    guard let frame = spares.pop(mapper) else { fail("a tree of regions must reserve every frame that it needs") }
    return frame
  }

  // MARK: Insertion

  /// Inserts a record; the frames must be reserved.
  @inlinable
  mutating func insert(_ record: Record) {
    recordCount += 1
    var changed = false
    guard let right = insert(record, below: root, level: height, &changed) else { return }
    let left = summary(root, level: height)
    root = takeSpare()
    nodeCount += 1
    height += 1
    let node = inner(root)
    node.count = 0
    node.insert(left, at: 0)
    node.insert(right, at: 1)
  }

  /// Inserts a record below a node; returns the node's new neighbour when it split. Sets `changed` to whether what the
  /// node above says of this one may have changed.
  @inlinable
  mutating func insert(
    _ record: Record, below frame: PhysAddr, level: Int, _ changed: inout Bool
  ) -> RegionSubtree? {
    if level == 0 {
      changed = true
      let node = leaf(frame)
      let index = node.firstIndex(reaching: record.last)
      require(
        (index == 0 || node[index - 1].last < record.lowest)
          && (index == node.count || record.last < node[index].lowest), "a region must not overlap another, found",
        UInt64(record.lowest.raw))
      return insert(record, in: node, at: index)
    }
    let node = inner(frame)
    let index = min(node.firstIndex(reaching: record.last), node.count - 1)
    let below = node[index].node
    let right = insert(record, below: below, level: level - 1, &changed)
    if changed { changed = update(index, of: node, level: level) }
    guard let right else { return nil }
    changed = true
    return insert(right, in: node, at: index + 1)
  }

  /// Inserts an element into a node; returns the node's new neighbour when it split.
  @inlinable
  mutating func insert<Element: RegionRecord>(
    _ element: Element, in node: RegionNode<Element>, at index: Int
  ) -> RegionSubtree? {
    if node.count < node.capacity {
      node.insert(element, at: index)
      return nil
    }
    let frame = takeSpare()
    nodeCount += 1
    let right = RegionNode<Element>(in: frame, mapper)
    let isLast = index == node.count
    let middle = isLast ? index : node.count / 2
    node.moveElements(from: middle, to: right)
    if isLast || index > middle {
      right.insert(element, at: index - middle)
    } else {
      node.insert(element, at: index)
    }
    return right.summary(in: frame)
  }

  // MARK: Replacement

  /// Replaces a record below a node; returns whether what the node above says of this one may have changed.
  @inlinable
  mutating func replace(_ record: Record, with new: Record, below frame: PhysAddr, level: Int) -> Bool {
    if level == 0 {
      let node = leaf(frame)
      let index = index(of: record, in: node)
      require(
        (index == 0 || node[index - 1].last < new.lowest)
          && (index + 1 == node.count || new.last < node[index + 1].lowest), "a region must not overlap another, found",
        UInt64(new.lowest.raw))
      node[index] = new
      return record.lowest != new.lowest || record.last != new.last
    }
    let node = inner(frame)
    let index = index(of: record, in: node)
    guard replace(record, with: new, below: node[index].node, level: level - 1) else { return false }
    return update(index, of: node, level: level)
  }

  /// Brings up to date what a node at a level says of one below it; returns whether that changed.
  @inlinable
  func update(_ index: Int, of node: RegionNode<RegionSubtree>, level: Int) -> Bool {
    let new = summary(node[index].node, level: level - 1)
    if node[index] == new { return false }
    node[index] = new
    return true
  }

  /// The index of the element that is a record or leads to it; traps when there is none.
  @inlinable
  func index<Element: RegionRecord>(of record: Record, in node: RegionNode<Element>) -> Int {
    let index = node.firstIndex(reaching: record.last)
    require(
      index < node.count && node[index].lowest <= record.lowest, "a region must be in the tree, found",
      UInt64(record.lowest.raw))
    return index
  }

  /// What the node above says of one at a level.
  @inlinable
  func summary(_ frame: PhysAddr, level: Int) -> RegionSubtree {
    level == 0 ? leaf(frame).summary(in: frame) : inner(frame).summary(in: frame)
  }
}
