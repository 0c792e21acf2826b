public import Addresses

// Holes as blocks. An owner that works on the memory of a hole, for example returns its pages to the system, takes the
// hole meanwhile. No request can get it, and the owner need not hold a lock.

extension FirstFitHeap {
  /// Allocates the whole of the lowest hole of at least `byteCount` bytes, header included, that ends above `address`;
  /// nil when there is none. The free tops of ranges are not holes. In a range with a table, holes of less than 2 KiB are
  /// not found.
  ///
  /// Deallocate it like any block.
  /// - Complexity: O(r + log n) for r ranges and n holes.
  public mutating func allocateHole(ofAtLeast byteCount: UInt, above address: VirtAddr) -> VirtAddr? {
    let granule = BlockLayout.granuleByteCount
    let size = max(1, UInt32(clamping: byteCount / granule + (byteCount % granule == 0 ? 0 : 1)))
    var next = firstRange
    while let range = next {
      if range.end > address.raw {
        range.tree.settle()
        if let node = range.tree.lowestHole(ofAtLeast: size, endingAbove: address.raw) {
          return takeFront(of: node, need: node.byteCount, in: range)
        }
      }
      next = range.next
    }
    return nil
  }
}

extension HoleTree {
  /// The lowest hole of at least `size` granules that ends above `address`; no node may be open.
  /// - Complexity: O(log n)
  func lowestHole(ofAtLeast size: UInt32, endingAbove address: UInt) -> HoleNode? {
    var node = root
    var below: HoleNode?
    // The highest node that does not end above the address, if any: the search starts behind it.
    while let candidate = node {
      if candidate.end > address {
        node = child(of: candidate, .below)
      } else {
        below = candidate
        node = child(of: candidate, .above)
      }
    }
    guard let below else { return range.largestHole >= size ? lowestHole(ofAtLeast: size) : nil }
    return nextHole(ofAtLeast: size, after: below)
  }
}
