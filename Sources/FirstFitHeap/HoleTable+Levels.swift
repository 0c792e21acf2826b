// The levels of a table: searching them, and keeping their maxima exact.

extension HoleTable {
  /// The lowest stretch with a hole of at least the class `sizeClass`; nil without one.
  /// - Complexity: O(log n): one group in each level, at most five.
  @inline(__always) func lowestStretch(ofAtLeast sizeClass: UInt8) -> UInt? {
    let firstLeaf = firstLeaf
    var group = root
    while true {
      guard let place = firstPlace(ofAtLeast: sizeClass, in: group) else { return nil }
      if place >= firstLeaf { return place &- firstLeaf }
      group = self.group(below: place)
    }
  }

  /// The next stretch above `stretch` with a hole of at least the class `sizeClass`; nil without one.
  /// - Complexity: O(log n): part of a group in each level on the way up, and one on the way down.
  func nextStretch(ofAtLeast sizeClass: UInt8, after stretch: UInt) -> UInt? {
    var place = firstLeaf &+ stretch
    while true {
      let group = Self.group(of: place)
      let end = group &+ Self.groupByteCount
      place &+= 1
      while place < end, byte(at: place) < sizeClass { place &+= 1 }
      if place < end { break }
      if group == root { return nil }
      place = parent(of: group)
    }
    while place < firstLeaf {
      guard let below = firstPlace(ofAtLeast: sizeClass, in: group(below: place)) else { return nil }
      place = below
    }
    return place &- firstLeaf
  }

  /// The largest class of all stretches, 0 without a hole.
  var largestClass: UInt8 { largestByte(of: root) }

  /// The largest class of a stretch.
  @inline(__always) func largestClass(ofStretch stretch: UInt) -> UInt8 { byte(at: firstLeaf &+ stretch) }

  /// Raises the largest class of a stretch to at least `sizeClass`, and the maxima above it.
  /// - Complexity: O(log n); ends at the first level that has a maximum as large, at the latest above the root.
  @inline(__always) func raise(_ stretch: UInt, to sizeClass: UInt8) {
    var place = firstLeaf &+ stretch
    while byte(at: place) < sizeClass {
      setByte(sizeClass, at: place)
      place = parent(of: place)
    }
  }

  /// Lowers the largest class of a stretch from `old` to `sizeClass`, and the maxima above it.
  /// - Complexity: O(log n); ends at the first level whose maximum another byte sets, at the latest above the root.
  @inline(__always) func lower(_ stretch: UInt, from old: UInt8, to sizeClass: UInt8) {
    var place = firstLeaf &+ stretch
    var largest = sizeClass
    while largest != old {
      setByte(largest, at: place)
      let parent = parent(of: place)
      if byte(at: parent) != old { return }
      largest = largestByte(of: Self.group(of: place))
      place = parent
    }
  }

  /// The place of the first byte of a group that is at least `value`, from 1 to 127; nil when none is.
  ///
  /// Eight bytes at a time: no byte exceeds 127, so the sum of a byte and 128 - `value` carries into bit 7, and not
  /// further, where the byte is large enough.
  @inline(__always) private func firstPlace(ofAtLeast value: UInt8, in group: UInt) -> UInt? {
    let addend = UInt64(128 &- value) &* 0x0101_0101_0101_0101
    var place = group
    repeat {
      let carries = (HeapMemory.eightBytes(at: range.base &+ place) &+ addend) & 0x8080_8080_8080_8080
      if carries != 0 { return place &+ UInt(truncatingIfNeeded: carries.trailingZeroBitCount) / 8 }
      place &+= 8
    } while place != group &+ Self.groupByteCount
    return nil
  }

  /// The largest byte of a group.
  @inline(__always) func largestByte(of group: UInt) -> UInt8 {
    HeapMemory.largestByte(count: Self.groupByteCount, at: range.base &+ group)
  }
}
