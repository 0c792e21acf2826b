// The index node in a hole: 24 bytes at its end, six fields of 32 bits.
//
//   hole: | header | ... unused ... | links: below, above | largest below | size | largest above | up and lean |
//                                   ^ node address (the first four fields share a cache line)                 ^ end
//
// The node lies at the END of its hole because first fit cuts requests from the front: the rest of a cut hole keeps its
// node, its place in the tree and every link to it, and only its size changes. Likewise, freeing the block in front of
// a hole only makes the hole larger. The size in the node doubles as the boundary tag at the hole's end (Knuth, TAOCP
// 1, 2.5, algorithm C): a block whose header says that the block below is free finds that block's start by it.
//
// Sizes and links count granules, links from the start of the range; 0 is no link.

/// A side of a node in the tree: holes at lower addresses are below, holes at higher addresses above.
struct Side: Equatable {
  /// 0 for below, 1 for above.
  let index: UInt

  @inline(__always) static var below: Side { Side(index: 0) }
  @inline(__always) static var above: Side { Side(index: 1) }

  @inline(__always) var opposite: Side { Side(index: index ^ 1) }
}

/// Which subtree of a node is higher, by one level.
struct Lean: Equatable {
  /// 0 for neither, otherwise 1 plus the index of the side.
  let rawValue: UInt32

  @inline(__always) init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Leaning to `side`.
  @inline(__always) init(_ side: Side) {
    rawValue = UInt32(truncatingIfNeeded: side.index) &+ 1
  }

  @inline(__always) static var even: Lean { Lean(rawValue: 0) }
}

/// A view of the node of one hole.
struct HoleNode: Equatable {
  /// The start of the node: ``BlockLayout/nodeByteCount`` before the hole's end.
  let address: UInt

  @inline(__always) init(address: UInt) {
    self.address = address
  }

  /// The node of the hole that ends at `end`.
  @inline(__always) init(end: UInt) {
    address = end &- BlockLayout.nodeByteCount
  }

  /// The end of the hole.
  @inline(__always) var end: UInt { address &+ BlockLayout.nodeByteCount }

  /// The link to the root of the subtree on one side, 0 when it is empty.
  @inline(__always) func link(_ side: Side) -> UInt32 {
    HeapMemory.field(at: address &+ 4 &* side.index)
  }

  @inline(__always) func setLink(_ side: Side, _ link: UInt32) {
    HeapMemory.setField(link, at: address &+ 4 &* side.index)
  }

  /// The size in granules of the largest hole of the subtree on one side, 0 when it is empty.
  @inline(__always) func largest(_ side: Side) -> UInt32 {
    HeapMemory.field(at: address &+ 8 &+ 8 &* side.index)
  }

  @inline(__always) func setLargest(_ side: Side, _ size: UInt32) {
    HeapMemory.setField(size, at: address &+ 8 &+ 8 &* side.index)
  }

  /// The size of the hole in granules.
  @inline(__always) var size: UInt32 {
    get { HeapMemory.field(at: address &+ 12) }
    nonmutating set { HeapMemory.setField(newValue, at: address &+ 12) }
  }

  /// The parent link and the lean, as one field.
  @inline(__always) var upAndLean: UInt32 {
    get { HeapMemory.field(at: address &+ 20) }
    nonmutating set { HeapMemory.setField(newValue, at: address &+ 20) }
  }

  /// The link to the parent, 0 for the root.
  @inline(__always) var parentLink: UInt32 {
    get { upAndLean >> 2 }
    nonmutating set { upAndLean = newValue << 2 | upAndLean & 3 }
  }

  /// Which subtree of the node is higher.
  @inline(__always) var lean: Lean {
    get { Lean(rawValue: upAndLean & 3) }
    nonmutating set { upAndLean = upAndLean & ~3 | newValue.rawValue }
  }

  /// The size in granules of the largest hole among this one and both subtrees.
  @inline(__always) var largestOfSubtree: UInt32 {
    max(max(largest(.below), largest(.above)), size)
  }

  /// The size of the hole in bytes.
  @inline(__always) var byteCount: UInt { UInt(size) &* BlockLayout.granuleByteCount }

  /// The start of the hole.
  @inline(__always) var start: UInt { end &- byteCount }
}
