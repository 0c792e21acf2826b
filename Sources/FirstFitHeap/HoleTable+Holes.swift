// The holes of a table's stretches.

/// A hole of a table.
struct TableHole {
  let node: HoleNode
  let stretch: UInt
  /// The bit of the hole in the stretch's bits.
  let bit: UInt64
}

extension HoleTable {
  /// The stretch of a granule.
  @inline(__always) static func stretch(of granule: UInt) -> UInt { granule / stretchGranuleCount }

  /// The bit of a granule in its stretch.
  @inline(__always) static func bit(of granule: UInt) -> UInt64 { 1 &<< UInt64(granule) }

  /// Where the bits of a stretch lie.
  @inline(__always) func bitsAddress(of stretch: UInt) -> UInt { range.base &+ Self.bitsPlace &+ 8 &* stretch }

  /// The bits of a stretch.
  @inline(__always) func bits(of stretch: UInt) -> UInt64 { HeapMemory.eightBytes(at: bitsAddress(of: stretch)) }

  @inline(__always) func setBits(of stretch: UInt, _ bits: UInt64) {
    HeapMemory.setEightBytes(bits, at: bitsAddress(of: stretch))
  }

  /// The node of the lowest hole of a stretch among `bits`, which are not all 0.
  @inline(__always) func lowestNode(of stretch: UInt, among bits: UInt64) -> HoleNode {
    let granule = stretch &* Self.stretchGranuleCount &+ UInt(truncatingIfNeeded: bits.trailingZeroBitCount)
    return range.tree.node(endingIn: granule)
  }

  /// The lowest hole of at least `size` granules, which are fewer than 127; nil without one.
  /// - Complexity: O(log n)
  @inline(__always) func lowestHole(ofAtLeast size: UInt32) -> TableHole? {
    guard let stretch = lowestStretch(ofAtLeast: Self.smallClass(size)) else { return nil }
    return promisedHole(ofAtLeast: size, in: stretch)
  }

  /// The lowest hole of a stretch whose maximum promises one of at least `size` granules.
  @inline(__always) func promisedHole(ofAtLeast size: UInt32, in stretch: UInt) -> TableHole {
    let bits = bits(of: stretch)
    guard let hole = lowestHole(ofAtLeast: size, in: stretch, among: bits) else {
      range.tree.corrupted(lowestNode(of: stretch, among: bits | 1).address)
    }
    return hole
  }

  /// The lowest hole of a stretch of at least `size` granules among `bits`, nil without one.
  @inline(__always) func lowestHole(ofAtLeast size: UInt32, in stretch: UInt, among bits: UInt64) -> TableHole? {
    var bits = bits
    while bits != 0 {
      let node = lowestNode(of: stretch, among: bits)
      if node.size >= size { return TableHole(node: node, stretch: stretch, bit: bits & (0 &- bits)) }
      bits &= bits &- 1
    }
    return nil
  }

  /// Adds the hole that ends in `granule`.
  /// - Complexity: O(log n)
  @_transparent func insert(_ granule: UInt, sizeClass: UInt8) {
    let stretch = Self.stretch(of: granule)
    setBits(of: stretch, bits(of: stretch) | Self.bit(of: granule))
    raise(stretch, to: sizeClass)
  }

  /// Removes the hole that ends in `granule`.
  /// - Complexity: O(log n)
  @_transparent func remove(_ granule: UInt, sizeClass: UInt8) {
    let stretch = Self.stretch(of: granule)
    let bits = bits(of: stretch) & ~Self.bit(of: granule)
    setBits(of: stretch, bits)
    lowerToLargest(of: stretch, bits: bits, from: sizeClass)
  }

  /// Lowers the maximum of a stretch from `old`, the class of a hole that went or shrank, to the class of its largest
  /// hole.
  @inline(__always) func lowerToLargest(of stretch: UInt, bits: UInt64, from old: UInt8) {
    if largestClass(ofStretch: stretch) != old { return }
    var largest: UInt32 = 0
    var bits = bits
    while bits != 0 {
      largest = max(largest, lowestNode(of: stretch, among: bits).size)
      bits &= bits &- 1
    }
    lower(stretch, from: old, to: Self.sizeClass(largest))
  }

  /// Notes that the class of a hole changed.
  /// - Complexity: O(log n)
  @_transparent func changeClass(of granule: UInt, from old: UInt8, to sizeClass: UInt8) {
    let stretch = Self.stretch(of: granule)
    if sizeClass >= old {
      raise(stretch, to: sizeClass)
    } else {
      lowerToLargest(of: stretch, bits: bits(of: stretch), from: old)
    }
  }

  /// Notes that a hole grew to `sizeClass` and ends in another granule of the same stretch now.
  @_transparent func move(_ granule: UInt, to moved: UInt, sizeClass: UInt8) {
    let stretch = Self.stretch(of: granule)
    setBits(of: stretch, bits(of: stretch) ^ Self.bit(of: granule) ^ Self.bit(of: moved))
    raise(stretch, to: sizeClass)
  }
}
