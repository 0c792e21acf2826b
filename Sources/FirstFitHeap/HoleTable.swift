// The table of a range: which stretches of 64 granules have holes, where, and how large.
//
// A hole belongs to the stretch in which it ends. Two numbers describe a stretch: a bit for each granule in which a hole
// ends, and the class of its largest hole. The classes are the leaves of a complete tree of bytes, whose inner bytes are
// maxima of 32:
//
//   class(hole) = min(size in granules, 127)
//   bits[s] has bit g <=> a hole ends in granule g of stretch s
//   bytes[leaves + s] = the largest class in stretch s, 0 without a hole
//   bytes[b] = max(bytes[32 (b + 1) ..< 32 (b + 2)])                                              for b < leaves
//
// So the children of byte b are group b + 1, and the parent of group g is byte g - 1: levels lie one behind the other,
// as in a binary heap (Williams, "Heapsort", CACM 1964), and no step needs to know its level. A place is an offset from
// the range's base. Since `bytes` begins at a multiple of 32, one number leads from any place to that of its parent:
//
//   parent(place) = place / 32 + up;    the parent of the root's group is 255, which ends every walk upwards
//
// First fit for a size below 127 granules goes down from the root to the first byte that is large enough, in each level,
// and then along the bits of one stretch. Classes below 127 are exact, so the search is. It takes five levels at most,
// since the largest range has 2^24 stretches, and a stretch has at most 16 holes: two ends are at least 64 bytes apart.
//
// Why not maxima in the nodes of a tree, as HoleTree has? First fit takes the first hole that is large enough, which
// is larger than all holes in front of it: its removal lowers the maxima on a long path. Here that path has two or
// three steps, and each is a few vector instructions. docs/first-fit.md has the figures, and what else was tried.
//
// The table lies between the range's record and its first block. Its bytes and bits count only from the group of the
// first block to the group of the highest top so far: `cover(to:)` zeroes the next ones. The search starts at the lowest
// group above all of those.

/// A view of the table of one range.
struct HoleTable {
  let range: HeapRange

  @inline(__always) init(range: HeapRange) {
    self.range = range
  }

  /// The granules of a stretch: as many as a word of `bits` has bits.
  @inline(__always) static var stretchGranuleCount: UInt { 64 }

  /// The bytes of a group: one step of the search.
  @inline(__always) static var groupByteCount: UInt { 32 }

  /// The class of all holes of at least as many granules.
  @inline(__always) static var largestClass: UInt8 { 127 }

  /// What the parent of the root holds: no class.
  @inline(__always) static var sentinel: UInt8 { 255 }

  @inline(__always) static var stretchByteCount: UInt { stretchGranuleCount &* BlockLayout.granuleByteCount }

  /// The bytes of the range below a group of leaves.
  @inline(__always) static var groupSpanByteCount: UInt { stretchByteCount &* groupByteCount }

  /// The place of `bits`. A place is an offset from the range's base.
  @inline(__always) static var bitsPlace: UInt { 64 }

  /// The most bytes of a request for which the table alone finds the hole.
  @inline(__always) static var requestByteMaximum: UInt {
    UInt(largestClass &- 1) &* BlockLayout.granuleByteCount &- BlockLayout.headerByteCount
  }

  /// The class of a hole of fewer than 127 granules.
  @inline(__always) static func smallClass(_ size: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: size) }

  /// The class of a hole of `size` granules.
  @inline(__always) static func sizeClass(_ size: UInt32) -> UInt8 {
    UInt8(truncatingIfNeeded: min(size, UInt32(largestClass)))
  }
}

// MARK: - Layout
//
//   word      the address up to which the table is valid
//   32 bits   the place of the first leaf
//   32 bits   what leads from a group to its parent byte
//   32 bits   the place of the group at which the search starts
//   32 bits   the end of the last stretch, in granules
//   bits      64 bits for each stretch
//   1 group   its last byte is the parent of the root of a table that is in use as a whole
//   bytes     the inner levels, then a leaf for each stretch

extension HoleTable {
  /// The bytes of the table of a range of `rangeByteCount` bytes: a multiple of the granule; about 1/110 of the range.
  static func byteCount(forRangeOf rangeByteCount: UInt) -> UInt {
    let count = stretchCount(ofRangeOf: rangeByteCount)
    let end = firstGroup(for: count) + innerByteCount(for: count) + count
    return (end - BlockLayout.recordByteCount + BlockLayout.granuleByteCount - 1)
      & ~(BlockLayout.granuleByteCount - 1)
  }

  /// The number of stretches of the range's whole granules, rounded up to whole groups.
  private static func stretchCount(ofRangeOf byteCount: UInt) -> UInt {
    let granuleCount = byteCount / BlockLayout.granuleByteCount
    return (granuleCount * BlockLayout.granuleByteCount + groupSpanByteCount - 1) / groupSpanByteCount * groupByteCount
  }

  /// The place of `bytes`.
  private static func firstGroup(for stretchCount: UInt) -> UInt { bitsPlace + 8 * stretchCount + groupByteCount }

  /// The bytes of the inner levels above `stretchCount` leaves: 32 + 32^2 + ...
  private static func innerByteCount(for stretchCount: UInt) -> UInt {
    var byteCount: UInt = 0
    var level = groupByteCount
    while level < stretchCount {
      byteCount += level
      level *= groupByteCount
    }
    return byteCount
  }

  @inline(__always) private var fields: UInt {
    range.base &+ BlockLayout.recordByteCount &+ BlockLayout.headerByteCount
  }

  /// The end of the part of the range whose bytes of the table are valid, as an address.
  @inline(__always) private(set) var coveredEnd: UInt {
    get { HeapMemory.word(at: range.base &+ BlockLayout.recordByteCount) }
    nonmutating set { HeapMemory.setWord(newValue, at: range.base &+ BlockLayout.recordByteCount) }
  }

  /// The place of the first leaf.
  @inline(__always) var firstLeaf: UInt { UInt(HeapMemory.field(at: fields)) }

  /// The place of a byte's group over 32, plus this, is the place of the group's parent.
  @inline(__always) var up: UInt { UInt(HeapMemory.field(at: fields &+ 4)) }

  /// The place of the group at which the search starts: the lowest one above all valid leaves.
  @inline(__always) private(set) var root: UInt {
    get { UInt(HeapMemory.field(at: fields &+ 8)) }
    nonmutating set { HeapMemory.setField(UInt32(truncatingIfNeeded: newValue), at: fields &+ 8) }
  }

  /// The end of the last stretch, in granules: holes that end below it are in the table.
  @inline(__always) var endGranule: UInt { UInt(HeapMemory.field(at: fields &+ 12)) }

  /// The end of the last stretch.
  var end: UInt { range.base &+ endGranule &* BlockLayout.granuleByteCount }

  @inline(__always) func byte(at place: UInt) -> UInt8 { HeapMemory.byte(at: range.base &+ place) }

  @inline(__always) func setByte(_ byte: UInt8, at place: UInt) { HeapMemory.setByte(byte, at: range.base &+ place) }

  /// The place of the parent of a byte.
  @inline(__always) func parent(of place: UInt) -> UInt { place / Self.groupByteCount &+ up }

  /// The place of the group below a byte.
  @inline(__always) func group(below place: UInt) -> UInt { (place &- up) &* Self.groupByteCount }

  /// The place of the group that contains a byte.
  @inline(__always) static func group(of place: UInt) -> UInt { place & ~(groupByteCount &- 1) }

  /// The place of the group of leaves for the stretch that contains `address`.
  func leafGroup(of address: UInt) -> UInt {
    Self.group(of: firstLeaf + (address - range.base) / Self.stretchByteCount)
  }
}

// MARK: - Validity

extension HoleTable {
  /// Lays the table out for a range of `rangeByteCount` bytes, without a hole.
  func create(forRangeOf rangeByteCount: UInt) {
    let count = Self.stretchCount(ofRangeOf: rangeByteCount)
    let first = Self.firstGroup(for: count)
    HeapMemory.setField(UInt32(truncatingIfNeeded: first + Self.innerByteCount(for: count)), at: fields)
    HeapMemory.setField(UInt32(truncatingIfNeeded: first - first / Self.groupByteCount - 1), at: fields &+ 4)
    HeapMemory.setField(UInt32(truncatingIfNeeded: rangeByteCount / BlockLayout.granuleByteCount), at: fields &+ 12)
    var group = leafGroup(of: range.first)
    clearLeaves(group)
    root = rootGroup(above: group)
    setByte(Self.sentinel, at: parent(of: root))
    coveredEnd = range.base &+ (group &+ Self.groupByteCount &- firstLeaf) &* Self.stretchByteCount
    while group != root {
      group = Self.group(of: parent(of: group))
      clear(group)
    }
  }

  /// Whether the fields are those of ``create(forRangeOf:)``.
  var hasLayout: Bool {
    let count = Self.stretchCount(ofRangeOf: endGranule * BlockLayout.granuleByteCount)
    let first = Self.firstGroup(for: count)
    return firstLeaf == first + Self.innerByteCount(for: count) && up == first - first / Self.groupByteCount - 1
  }

  /// The lowest group above all groups of leaves up to `group`.
  func rootGroup(above group: UInt) -> UInt {
    var group = group
    var lowest = firstLeaf
    while group != lowest {
      group = Self.group(of: parent(of: group))
      lowest = Self.group(of: parent(of: lowest))
    }
    return group
  }

  /// Makes the table valid up to `top`.
  /// - Complexity: O(1) for each 32 stretches between the old end and `top`.
  @inline(never) func cover(to top: UInt) {
    while coveredEnd < min(top, end) {
      var group = leafGroup(of: coveredEnd)
      clearLeaves(group)
      let old = root
      root = rootGroup(above: group)
      if root != old {
        clear(root)
        setByte(largestByte(of: old), at: parent(of: old))
        setByte(Self.sentinel, at: parent(of: root))
      }
      // Every 32nd group begins a group of the level above.
      while group != root, Self.group(of: parent(of: group)) == parent(of: group) {
        group = parent(of: group)
        if group != root { clear(group) }
      }
      coveredEnd &+= Self.groupSpanByteCount
    }
  }

  private func clearLeaves(_ group: UInt) {
    clear(group)
    let stretch = group - firstLeaf
    for stretch in stretch..<stretch + Self.groupByteCount { setBits(of: stretch, 0) }
  }

  private func clear(_ group: UInt) {
    HeapMemory.setVector(.zero, at: range.base &+ group)
    HeapMemory.setVector(.zero, at: range.base &+ group &+ 16)
  }
}
