public import Addresses
public import MemoryProtocols

/// A node of a ``RegionTree``: a frame that holds a count and as many elements, in address order.
@frozen
@usableFromInline
struct RegionNode<Element: RegionRecord> {
  @usableFromInline let start: VirtAddr

  /// The node in a frame.
  @inlinable @inline(__always)
  init(in frame: PhysAddr, _ mapper: borrowing some PhysMapper) {
    start = mapper.physToVirt(covered: frame)
  }

  @inlinable @inline(__always)
  var header: FrameArray<Int> { FrameArray(at: start, byteCount: 8) }

  @inlinable @inline(__always)
  var elements: FrameArray<Element> { FrameArray(at: start + 8, byteCount: 4096 - 8) }

  /// How many elements the node has.
  @inlinable @inline(__always)
  var count: Int {
    get { header[0] }
    nonmutating set { header[0] = newValue }
  }

  /// How many elements fit: 102 regions on a 64-bit processor, 127 subtrees.
  @inlinable @inline(__always)
  var capacity: Int { elements.capacity }

  @inlinable @inline(__always)
  subscript(index: Int) -> Element {
    get { elements[index] }
    nonmutating set { elements[index] = newValue }
  }

  /// The index of the first element whose last address is `address` or higher; `count` when there is none.
  @inlinable @inline(__always)
  func firstIndex(reaching address: VirtAddr) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low &+ high) / 2
      if elements[middle].last >= address { high = middle } else { low = middle &+ 1 }
    }
    return low
  }

  /// Inserts an element; there must be room.
  @inlinable
  func insert(_ element: Element, at index: Int) {
    elements.move(from: index, to: index + 1, count: count - index)
    elements[index] = element
    count += 1
  }

  /// Removes an element.
  @inlinable
  func remove(at index: Int) {
    elements.move(from: index + 1, to: index, count: count - index - 1)
    count -= 1
  }

  /// Moves the elements from `index` on to an unused node.
  @inlinable
  func moveElements(from index: Int, to other: RegionNode) {
    other.elements.copy(count - index, from: elements, at: index, to: 0)
    other.count = count - index
    count = index
  }

  /// Appends the elements of the next node; there must be room.
  @inlinable
  func append(_ other: RegionNode) {
    elements.copy(other.count, from: other.elements, at: 0, to: count)
    count += other.count
  }

  /// What the node above says of this one, which is in `frame` and has an element.
  /// - Complexity: O(elements)
  @inlinable
  func summary(in frame: PhysAddr) -> RegionSubtree {
    let count = count
    let first = elements[0]
    var longest = first.innerGapByteCount
    var last = first.last
    var index = 1
    while index < count {
      let element = elements[index]
      longest = max(longest, max(element.lowest.raw &- last.raw &- 1, element.innerGapByteCount))
      last = element.last
      index += 1
    }
    return RegionSubtree(lowest: first.lowest, last: last, innerGapByteCount: longest, node: frame)
  }
}
