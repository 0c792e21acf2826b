// The table of a range: which stretches of 64 granules have holes, and how large.
//
// A hole belongs to the stretch in which it ends. The holes of a stretch form a list in address order (see
// HoleTable+Lists). Level 0 has a byte for each stretch; level n + 1 has a byte for each group of 32 bytes of level n:
//
//   class(hole) = min(size in granules, 127)
//   level0[s] = the largest class in stretch s, 0 without a hole;    heads[s] = where its lowest hole ends, in granules
//   level(n + 1)[g] = max(level n [32 g ..< 32 g + 32])
//
// First fit for a size below 127 granules goes down from the root to the first byte that is large enough, in each level,
// and then along one list. Classes below 127 are exact, so the search is. It takes five levels at most, since the
// largest range has 2^24 stretches, and a list has at most 16 holes: two ends are at least 64 bytes apart.
//
// Why not maxima in the nodes of a tree, as HoleTree has? First fit takes the first hole that is large enough, which
// is larger than all holes in front of it: its removal lowers the maxima on a long path. Here that path has two or
// three steps, and each is a few vector instructions. docs/first-fit.md has the figures, and what else was tried.
//
// The table lies between the range's record and its first block. It starts empty, and its bytes count only up to the
// stretch of the highest top so far: `cover(to:)` zeroes the next ones, group by group.

/// A view of the table of one range.
struct HoleTable {
  let range: HeapRange

  @inline(__always) init(range: HeapRange) {
    self.range = range
  }

  /// The granules of a stretch: a power of two.
  @inline(__always) static var stretchGranuleCount: UInt { 64 }

  /// The bytes of a group: one step of the search.
  @inline(__always) static var groupByteCount: UInt { 32 }

  /// The class of all holes of at least as many granules.
  @inline(__always) static var largestClass: UInt8 { 127 }

  /// The bytes in front of level 0: see the accessors below.
  @inline(__always) private static var headByteCount: UInt { 64 }

  @inline(__always) static var stretchByteCount: UInt { stretchGranuleCount &* BlockLayout.granuleByteCount }

  /// The class of a hole of `size` granules.
  @inline(__always) static func sizeClass(_ size: UInt32) -> UInt8 {
    UInt8(truncatingIfNeeded: min(size, UInt32(largestClass)))
  }
}

// MARK: - Layout
//
//   word         the address up to which the table is valid
//   5 × 32 bits  the offsets of the levels, from the start of the table
//   32 bits      the offset of `heads`
//   32 bits      the number of the highest level in use: the lowest level with one group in use
//   32 bits      the number of stretches
//   unused       up to 64 bytes
//   level 0, heads, level 1, level 2, level 3, level 4

extension HoleTable {
  /// The bytes of the table of a range of `rangeByteCount` bytes: a multiple of the granule; about 1/500 of the range.
  static func byteCount(forRangeOf rangeByteCount: UInt) -> UInt {
    var groupCount = groupCount(of: stretchCount(ofRangeOf: rangeByteCount))
    var byteCount = headByteCount + groupCount * groupByteCount
    repeat {
      byteCount += groupCount * groupByteCount
      if groupCount == 1 { return byteCount }
      groupCount = Self.groupCount(of: groupCount)
    } while true
  }

  private static func stretchCount(ofRangeOf byteCount: UInt) -> UInt {
    (byteCount & ~(BlockLayout.granuleByteCount - 1) + stretchByteCount - 1) / stretchByteCount
  }

  private static func groupCount(of byteCount: UInt) -> UInt {
    (byteCount + groupByteCount - 1) / groupByteCount
  }

  /// The start of the table.
  @inline(__always) private var start: UInt { range.base &+ BlockLayout.recordByteCount }

  /// The end of the part of the range whose bytes of the table are valid, as an address.
  @inline(__always) private(set) var coveredEnd: UInt {
    get { HeapMemory.word(at: start) }
    nonmutating set { HeapMemory.setWord(newValue, at: start) }
  }

  @inline(__always) private func field(_ index: UInt) -> UInt32 { HeapMemory.field(at: start &+ 8 &+ 4 &* index) }

  private func setField(_ index: UInt, _ value: UInt32) { HeapMemory.setField(value, at: start &+ 8 &+ 4 &* index) }

  /// The start of a level.
  @inline(__always) func level(_ number: UInt) -> UInt { start &+ UInt(field(number)) }

  /// The start of `heads`.
  @inline(__always) var heads: UInt { start &+ UInt(field(5)) }

  /// The number of the highest level in use.
  @inline(__always) private(set) var rootLevel: UInt {
    get { UInt(field(6)) }
    nonmutating set { setField(6, UInt32(truncatingIfNeeded: newValue)) }
  }

  /// The number of stretches, in granules: links below it are in the table.
  @inline(__always) var linkEnd: UInt32 { field(7) }

  /// The end of the last stretch.
  var end: UInt { range.base &+ UInt(linkEnd) &* BlockLayout.granuleByteCount }

  /// Lays the table out for a range of `rangeByteCount` bytes, without a hole.
  func create(forRangeOf rangeByteCount: UInt) {
    setField(7, UInt32(truncatingIfNeeded: rangeByteCount / BlockLayout.granuleByteCount))
    let offsets = offsets
    for index in 0..<6 { setField(UInt(index), offsets[index]) }
    rootLevel = 0
    coveredEnd = range.base
    // A search reads the root's group.
    cover(to: range.first)
  }

  /// Whether the offsets are those of ``create(forRangeOf:)``.
  var hasLayout: Bool {
    let offsets = offsets
    for index in 0..<6 where field(UInt(index)) != offsets[index] { return false }
    return true
  }

  /// The offsets of the levels and of `heads`.
  private var offsets: InlineArray<6, UInt32> {
    var offsets = InlineArray<6, UInt32>(repeating: 0)
    var groupCount = Self.groupCount(of: Self.stretchCount(ofRangeOf: UInt(linkEnd) * BlockLayout.granuleByteCount))
    var offset = Self.headByteCount
    offsets[5] = UInt32(truncatingIfNeeded: offset + groupCount * Self.groupByteCount)
    for number in 0..<5 {
      offsets[number] = UInt32(truncatingIfNeeded: offset)
      offset += groupCount * Self.groupByteCount * (number == 0 ? 2 : 1)
      groupCount = Self.groupCount(of: groupCount)
    }
    return offsets
  }

  /// Makes the table valid up to `top`.
  /// - Complexity: O(1) for each 32 stretches between the old end and `top`.
  func cover(to top: UInt) {
    while coveredEnd < min(top, end) {
      var group = (coveredEnd &- range.base) / Self.stretchByteCount / Self.groupByteCount
      var number: UInt = 0
      clearGroup(group, ofLevel: 0)
      // Every 32nd group begins a group of the level above.
      while number < rootLevel, group % Self.groupByteCount == 0 {
        number &+= 1
        group /= Self.groupByteCount
        clearGroup(group, ofLevel: number)
      }
      if number == rootLevel, group != 0 {
        clearGroup(0, ofLevel: number &+ 1)
        HeapMemory.setByte(largestByte(ofGroupAt: level(number)), at: level(number &+ 1))
        rootLevel = number &+ 1
      }
      coveredEnd &+= Self.stretchByteCount &* Self.groupByteCount
    }
  }

  private func clearGroup(_ group: UInt, ofLevel number: UInt) {
    let start = level(number) &+ group &* Self.groupByteCount
    HeapMemory.setVector(.zero, at: start)
    HeapMemory.setVector(.zero, at: start &+ 16)
  }
}
