public import Addresses
import Assertions

// Deallocation: a block merges with the free blocks on both sides. P stands for a hole below, N for a hole above; nodes
// lie at the ends of holes:
//
//             | above is in use       | above is a hole N        | above is the top
//   below     | insert a node         | N grows at its front     | the top starts at the block
//   in use    |                       |                          |
//   ----------+-----------------------+--------------------------+------------------------------
//   below is  | P's node moves to the | P's node goes, N grows   | P's node goes, the top starts
//   a hole P  | block's end, P grows  | at its front             | where P did

extension FirstFitHeap {
  /// Deallocates a block that ``allocate(byteCount:alignment:)`` returned; any other address ends the process.
  /// - Complexity: O(log n) for n holes.
  public mutating func deallocate(_ address: VirtAddr) {
    let block = block(at: address)
    blockCount &-= 1
    usedByteCount &-= block.header.byteCount
    release(block.start, to: block.end, belowIsFree: block.header.belowIsFree, in: block.range)
  }

  /// Frees `start..<end`, which is no longer in use, and merges it with its neighbours.
  ///
  /// It always writes a free header at `start`: a header that still looked in use inside a hole or the top would let a
  /// double free pass.
  @inline(__always)
  mutating func release(_ start: UInt, to end: UInt, belowIsFree: Bool, in range: HeapRange) {
    if end == range.top {
      range.setHeader(at: start, byteCount: end &- start, isInUse: false)
      range.top = belowIsFree ? removeHole(endingAt: start, in: range) : start
      return
    }
    let above = range.checkedHeader(at: end)
    if belowIsFree { range.setHeader(at: start, byteCount: end &- start, isInUse: false) }
    if !above.isInUse {
      let node = HoleNode(end: end &+ above.byteCount)
      checkNode(node, byteCount: above.byteCount, at: end)
      let start = belowIsFree ? removeHole(endingAt: start, in: range) : start
      let byteCount = node.end &- start
      range.setHeader(at: start, byteCount: byteCount, isInUse: false)
      range.holes.setSize(of: node, to: UInt32(truncatingIfNeeded: byteCount / BlockLayout.granuleByteCount))
      return
    }
    let node = HoleNode(end: end)
    if belowIsFree {
      let below = hole(endingAt: start, in: range)
      let start = below.start
      let byteCount = end &- start
      range.setHeader(at: start, byteCount: byteCount, isInUse: false)
      range.holes.replace(
        below, by: node, size: UInt32(truncatingIfNeeded: byteCount / BlockLayout.granuleByteCount))
    } else {
      range.setHeader(at: start, byteCount: end &- start, isInUse: false)
      range.holes.insert(node, size: UInt32(truncatingIfNeeded: (end &- start) / BlockLayout.granuleByteCount))
      indexedHoleCount &+= 1
    }
    range.setHeader(above.with(belowIsFree: true), at: end)
  }

  /// Removes the hole that ends at `end` from the index.
  ///
  /// - Returns: The start of the hole.
  @_transparent private mutating func removeHole(endingAt end: UInt, in range: HeapRange) -> UInt {
    let node = hole(endingAt: end, in: range)
    let start = node.start
    range.holes.remove(node)
    indexedHoleCount &-= 1
    return start
  }

  /// The hole that ends at `end`, where a header says that there is one.
  @inline(__always) private func hole(endingAt end: UInt, in range: HeapRange) -> HoleNode {
    let node = HoleNode(end: end)
    checkHole(at: node.start, byteCount: node.byteCount, in: range)
    return node
  }

  /// Ends the process unless the header and the node of the hole at `start` agree on its size.
  @inline(__always) func checkNode(_ node: HoleNode, byteCount: UInt, at start: UInt) {
    if node.byteCount != byteCount {
      fail("heap corrupted, freed memory was written to, in the hole at", UInt64(start))
    }
  }
}
