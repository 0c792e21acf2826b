// The levels of a table: searching them, and keeping their maxima exact.

extension HoleTable {
  /// The lowest stretch with a hole of at least the class `sizeClass`; nil without one.
  /// - Complexity: O(log n): one group in each level, at most five.
  @inline(__always) func lowestStretch(ofAtLeast sizeClass: UInt8) -> UInt? {
    var number = rootLevel
    var index: UInt = 0
    while true {
      let lane = Self.firstLane(ofAtLeast: sizeClass, inGroupAt: level(number) &+ index &* Self.groupByteCount)
      if lane == Self.groupByteCount { return nil }
      index = index &* Self.groupByteCount &+ lane
      if number == 0 { return index }
      number &-= 1
    }
  }

  /// The next stretch above `stretch` with a hole of at least the class `sizeClass`; nil without one.
  /// - Complexity: O(log n): part of a group in each level on the way up, and one on the way down.
  func nextStretch(ofAtLeast sizeClass: UInt8, after stretch: UInt) -> UInt? {
    var index = stretch
    var number: UInt = 0
    while true {
      let end = (index / Self.groupByteCount &+ 1) &* Self.groupByteCount
      index &+= 1
      while index < end, HeapMemory.byte(at: level(number) &+ index) < sizeClass { index &+= 1 }
      if index < end { break }
      if number == rootLevel { return nil }
      index = end / Self.groupByteCount &- 1
      number &+= 1
    }
    while number > 0 {
      number &-= 1
      let group = index &* Self.groupByteCount
      index = group &+ Self.firstLane(ofAtLeast: sizeClass, inGroupAt: level(number) &+ group)
    }
    return index
  }

  /// The largest class of all stretches, 0 without a hole.
  var largestClass: UInt8 { largestByte(ofGroupAt: level(rootLevel)) }

  /// The largest class of a stretch.
  @inline(__always) func largestClass(ofStretch stretch: UInt) -> UInt8 {
    HeapMemory.byte(at: level(0) &+ stretch)
  }

  /// Raises the largest class of a stretch to `sizeClass`, and the maxima above it.
  /// - Complexity: O(log n); ends at the first level that has a maximum as large.
  @inline(__always) func raise(_ stretch: UInt, to sizeClass: UInt8) {
    HeapMemory.setByte(sizeClass, at: level(0) &+ stretch)
    var index = stretch
    var number: UInt = 0
    let root = rootLevel
    while number < root {
      number &+= 1
      index /= Self.groupByteCount
      let place = level(number) &+ index
      if HeapMemory.byte(at: place) >= sizeClass { return }
      HeapMemory.setByte(sizeClass, at: place)
    }
  }

  /// Lowers the largest class of a stretch from `old` to `sizeClass`, and the maxima above it.
  /// - Complexity: O(log n); ends at the first level whose maximum another byte sets.
  @inline(__always) func lower(_ stretch: UInt, from old: UInt8, to sizeClass: UInt8) {
    HeapMemory.setByte(sizeClass, at: level(0) &+ stretch)
    var index = stretch
    var number: UInt = 0
    let root = rootLevel
    while number < root {
      let group = index / Self.groupByteCount
      let place = level(number &+ 1) &+ group
      if HeapMemory.byte(at: place) != old { return }
      let largest = largestByte(ofGroupAt: level(number) &+ group &* Self.groupByteCount)
      if largest == old { return }
      HeapMemory.setByte(largest, at: place)
      index = group
      number &+= 1
    }
  }

  /// The first of the 32 bytes at `address` that is at least `value`, from 1 to 127; 32 when none is.
  ///
  /// Eight bytes at a time: no byte exceeds 127, so the sum of a byte and 128 - `value` carries into bit 7, and not
  /// further, where the byte is large enough.
  @inline(__always)
  private static func firstLane(ofAtLeast value: UInt8, inGroupAt address: UInt) -> UInt {
    let addend = UInt64(128 &- value) &* 0x0101_0101_0101_0101
    var offset: UInt = 0
    repeat {
      let carries = (HeapMemory.eightBytes(at: address &+ offset) &+ addend) & 0x8080_8080_8080_8080
      if carries != 0 { return offset &+ UInt(truncatingIfNeeded: carries.trailingZeroBitCount) / 8 }
      offset &+= 8
    } while offset < groupByteCount
    return groupByteCount
  }

  /// The largest of the 32 bytes at `address`.
  @inline(__always) func largestByte(ofGroupAt address: UInt) -> UInt8 {
    let sixteen = pointwiseMax(HeapMemory.vector(at: address), HeapMemory.vector(at: address &+ 16))
    let eight = pointwiseMax(sixteen.lowHalf, sixteen.highHalf)
    let four = pointwiseMax(eight.lowHalf, eight.highHalf)
    let two = pointwiseMax(four.lowHalf, four.highHalf)
    return max(two[0], two[1])
  }
}
