public import Addresses
public import MemoryProtocols

// Regions in a B+ tree (Comer, "The Ubiquitous B-Tree", 1979) whose nodes are single 4 KiB frames: any number of
// regions, while one frame is left when a node must split.
//
// - Records stand in the leaves, in address order; all leaves are equally deep. A node above them keeps for each node
//   below it the first and the last address, and the longest gap between two of its records. A search for free
//   addresses thereby skips every subtree without a gap that is long enough, as Linux's maple tree does.
// - A full node splits: in half, or, where addresses ascend, behind its last element.
// - Two neighbours below one node become one when they fit in half a frame. So
//
//       count(node) + count(its neighbour) > capacity / 2
//
//   holds after each removal from either, and a tree takes at most four times the frames of a full one.
// - Changes are prepared: `reserve` takes the frames that the coming insertions may need, all or none, and then
//   nothing can fail. Removals need no frame.

/// Records of disjoint intervals of addresses, in address order, in single 4 KiB frames of a frame allocator.
///
/// Not safe for concurrent use: its owner locks. It allocates nothing but frames.
public struct RegionTree<Record: RegionRecord, Mapper: PhysMapper>: ~Copyable {
  /// How the program reaches the frames.
  @usableFromInline let mapper: Mapper
  /// The frame of the highest node.
  @usableFromInline var root: PhysAddr
  /// How many nodes stand above a leaf.
  @usableFromInline var height = 0
  /// Frames for the nodes that coming insertions need, or that removals left over.
  @usableFromInline var spares = TableChain()

  @usableFromInline var recordCount = 0
  @usableFromInline var nodeCount = 1

  /// How many records there are.
  @inlinable
  public var count: Int { recordCount }

  /// How many frames hold the tree.
  @inlinable
  public var frameCount: Int { nodeCount }

  /// An empty tree in one frame, or nil when the allocator has none.
  @inlinable
  public init?(_ mapper: Mapper, _ frames: inout some FrameAllocator & ~Copyable) {
    guard let frame = frames.allocate(.size4KiB) else { return nil }
    // Checks that the mapper covers the frame; nodes rely on it.
    _ = mapper.physToVirt(frame.start)
    self.mapper = mapper
    root = frame.start
    leaf(root).count = 0
  }

  @inlinable @inline(__always)
  func leaf(_ frame: PhysAddr) -> RegionNode<Record> { RegionNode(in: frame, mapper) }

  @inlinable @inline(__always)
  func inner(_ frame: PhysAddr) -> RegionNode<RegionSubtree> { RegionNode(in: frame, mapper) }

  /// The first record that reaches up to `address`: it contains the address or lies above it. Nil when there is none.
  /// - Complexity: O(log n) for n records
  @inlinable
  public func first(reaching address: VirtAddr) -> Record? {
    var frame = root
    for _ in 0..<height {
      let node = inner(frame)
      let index = node.firstIndex(reaching: address)
      if index == node.count { return nil }
      frame = node[index].node
    }
    let node = leaf(frame)
    let index = node.firstIndex(reaching: address)
    return index < node.count ? node[index] : nil
  }

  /// The next record above `record`, nil when there is none.
  /// - Complexity: O(log n) for n records
  @inlinable
  public func first(after record: Record) -> Record? {
    record.last.raw == .max ? nil : first(reaching: record.last + 1)
  }

  /// The lowest record.
  /// - Complexity: O(log n) for n records
  @inlinable
  public var first: Record? { first(reaching: .null) }

  /// A tree with the same records, or nil, with the allocator unchanged, when it has too few frames.
  /// - Complexity: O(n) for n records
  @inlinable
  public func copy(_ frames: inout some FrameAllocator & ~Copyable) -> RegionTree? {
    guard var copy = RegionTree(mapper, &frames) else { return nil }
    guard let chain = TableChain.allocate(nodeCount - 1, of: .size4KiB, &frames, mapper) else {
      copy.deallocate(&frames)
      return nil
    }
    copy.spares = chain
    copy.height = height
    copy.recordCount = recordCount
    copy.nodeCount = nodeCount
    copy.copyNode(root, to: copy.root, level: height)
    return copy
  }

  @inlinable
  mutating func copyNode(_ source: PhysAddr, to target: PhysAddr, level: Int) {
    if level == 0 {
      leaf(target).count = 0
      leaf(target).append(leaf(source))
      return
    }
    let node = inner(target)
    node.count = 0
    node.append(inner(source))
    for index in 0..<node.count {
      let below = takeSpare()
      copyNode(node[index].node, to: below, level: level - 1)
      node[index].node = below
    }
  }

  /// Frees all frames of the tree.
  /// - Complexity: O(n) for n records
  @inlinable
  public consuming func deallocate(_ frames: inout some FrameAllocator & ~Copyable) {
    deallocateNode(root, level: height, &frames)
    spares.deallocate(of: .size4KiB, to: &frames, mapper)
  }

  @inlinable
  func deallocateNode(_ frame: PhysAddr, level: Int, _ frames: inout some FrameAllocator & ~Copyable) {
    if level > 0 {
      let node = inner(frame)
      for index in 0..<node.count {
        deallocateNode(node[index].node, level: level - 1, &frames)
      }
    }
    frames.deallocate(Page(start: frame))
  }
}
