// The lists of a table: the holes of each stretch in address order.
//
// `heads` has where the lowest hole of a stretch ends, in granules from the start of the stretch. It means nothing where
// the stretch has no hole. The link to the next hole, 0 for none, lies in the node of a hole that only the table has, and
// in front of the node of a larger hole, which is in the tree as well.
//
// The functions that a pair of calls runs are transparent: the optimiser leaves long functions out of line even where
// `@inline(__always)` asks for the opposite, and their calls cost a tenth of a pair.

extension HoleTable {
  /// The stretch in which the hole with this link ends.
  @inline(__always) static func stretch(of link: UInt32) -> UInt { UInt(link) / stretchGranuleCount }

  /// The link to the lowest hole of a stretch that has one.
  @inline(__always) func head(of stretch: UInt) -> UInt32 {
    UInt32(truncatingIfNeeded: stretch &* Self.stretchGranuleCount) | UInt32(HeapMemory.byte(at: heads &+ stretch))
  }

  @inline(__always) private func setHead(of stretch: UInt, _ link: UInt32) {
    let place = UInt8(truncatingIfNeeded: link % UInt32(truncatingIfNeeded: Self.stretchGranuleCount))
    HeapMemory.setByte(place, at: heads &+ stretch)
  }

  /// Where the link to the hole after `node` lies.
  ///
  /// 12 bytes in front of the node of a large hole, no header can overwrite it when the hole is cut: headers lie at
  /// multiples of the granule from the hole's end.
  @inline(__always) private func linkPlace(of node: HoleNode) -> UInt {
    Self.sizeClass(node.size) == Self.largestClass ? node.address &- 12 : node.address
  }

  /// The link to the next hole of the stretch, 0 after the last one.
  @inline(__always) func next(_ node: HoleNode) -> UInt32 { HeapMemory.field(at: linkPlace(of: node)) }

  @inline(__always) func setNext(_ node: HoleNode, _ link: UInt32) {
    HeapMemory.setField(link, at: linkPlace(of: node))
  }

  @inline(__always) private func node(_ link: UInt32) -> HoleNode { range.tree.node(unchecked: link) }

  /// The lowest hole of a stretch of at least `size` granules, which the stretch's maximum promises.
  @inline(__always) func lowestHole(ofAtLeast size: UInt32, in stretch: UInt) -> HoleNode {
    var hole = node(head(of: stretch))
    while hole.size < size {
      let link = next(hole)
      if Self.stretch(of: link) != stretch { range.tree.corrupted(hole.address) }
      hole = node(link)
    }
    return hole
  }

  /// The link of the hole in front of the one with this link, which is not the first, in its stretch.
  @inline(__always) private func link(before link: UInt32, in stretch: UInt) -> UInt32 {
    var previous = head(of: stretch)
    while true {
      let next = next(node(previous))
      if next == 0 || next >= link { return previous }
      if next <= previous { range.tree.corrupted(node(previous).address) }
      previous = next
    }
  }

  /// Adds a hole, whose size its node has.
  /// - Complexity: O(log n)
  @_transparent func insert(_ node: HoleNode, link: UInt32) {
    let stretch = Self.stretch(of: link)
    let sizeClass = Self.sizeClass(node.size)
    let largest = largestClass(ofStretch: stretch)
    let first = head(of: stretch)
    if largest == 0 || link < first {
      setNext(node, largest == 0 ? 0 : first)
      setHead(of: stretch, link)
    } else {
      let previous = self.node(self.link(before: link, in: stretch))
      setNext(node, next(previous))
      setNext(previous, link)
    }
    if sizeClass > largest { raise(stretch, to: sizeClass) }
  }

  /// Removes a hole.
  /// - Complexity: O(log n)
  @_transparent func remove(_ node: HoleNode, link: UInt32) {
    let stretch = Self.stretch(of: link)
    let sizeClass = Self.sizeClass(node.size)
    let following = next(node)
    let largest = largestClass(ofStretch: stretch)
    if head(of: stretch) != link {
      setNext(self.node(self.link(before: link, in: stretch)), following)
    } else if following != 0 {
      setHead(of: stretch, following)
    } else {
      lower(stretch, from: largest, to: 0)
      return
    }
    if sizeClass == largest { lowerToLargest(of: stretch, from: largest) }
  }

  /// Replaces a hole by one that ends elsewhere in the same stretch, with no other hole between them and of the same
  /// class. Its node has its size.
  @_transparent func move(_ node: HoleNode, link: UInt32, to moved: HoleNode, link movedLink: UInt32) {
    let stretch = Self.stretch(of: link)
    setNext(moved, next(node))
    if head(of: stretch) == link {
      setHead(of: stretch, movedLink)
    } else {
      setNext(self.node(self.link(before: link, in: stretch)), movedLink)
    }
  }

  /// Notes that the class of a hole changed.
  /// - Complexity: O(log n)
  @_transparent func changeClass(ofHoleIn stretch: UInt, from old: UInt8, to new: UInt8) {
    let largest = largestClass(ofStretch: stretch)
    if new > largest {
      raise(stretch, to: new)
    } else if old == largest, new < old {
      lowerToLargest(of: stretch, from: largest)
    }
  }

  /// Lowers the maximum of a stretch from `old` to the class of its largest hole.
  @_transparent private func lowerToLargest(of stretch: UInt, from old: UInt8) {
    var largest: UInt32 = 0
    var link = head(of: stretch)
    while link != 0 {
      let hole = node(link)
      largest = max(largest, hole.size)
      link = next(hole)
    }
    let sizeClass = Self.sizeClass(largest)
    if sizeClass != old { lower(stretch, from: old, to: sizeClass) }
  }
}
