/// Sixty-four adjacent units of memory as bits: a set bit is a unit in use, a clear bit is a free one.
///
/// The size of a unit depends on the word's place in the ``FreeRunIndex``: one frame, 64 frames or 4096. Free units of
/// a word form runs of 1, 2, 4 … 32 units that start at a multiple of their length, the *aligned runs* of order 0 to 5;
/// a word of zeros is one run of order 6. Nothing here loops over bits.
@frozen
@usableFromInline
struct RunWord {
  /// The units in use.
  let used: UInt64

  init(used: UInt64) {
    self.used = used
  }

  /// The bits of the aligned run of `order`, 0 to 5, that starts at `position`.
  @inline(__always)
  static func run(at position: UInt64, order: UInt8) -> UInt64 {
    ((1 &<< (1 &<< UInt64(order))) &- 1) &<< position
  }

  /// Whether the unit at `position` is free.
  @inline(__always)
  func isFree(_ position: UInt64) -> Bool { used &>> position & 1 == 0 }

  /// The order, 0 to 6, of the largest aligned run of free units that contains the free unit at `position`.
  ///
  /// The smallest aligned run that contains two positions has the order of the highest bit in which they differ, plus
  /// one. So the nearest used unit on either side limits the largest run that contains `position` and no used unit:
  /// farther ones differ in the same bit or a higher one.
  @inline(__always)
  func maximalOrder(at position: UInt64) -> UInt8 {
    let unit: UInt64 = 1 &<< position
    // Without a used unit above, this is 64 and the difference is bit 6: order 6, as for a word of zeros. Without one
    // below, it is -1 and the difference is larger than any other.
    let above = UInt64(truncatingIfNeeded: (used & (0 &- unit)).trailingZeroBitCount)
    let below = 62 &- UInt64(truncatingIfNeeded: ((used & (unit &- 1)) &<< 1 | 1).leadingZeroBitCount)
    return highestBit(of: min(above ^ position, below ^ position))
  }

  /// ``maximalOrder(at:)`` where no unit below `position` is free.
  @inline(__always)
  func maximalOrder(atLowest position: UInt64) -> UInt8 {
    let above = UInt64(truncatingIfNeeded: (used & (0 &- (1 &<< position))).trailingZeroBitCount)
    return highestBit(of: min(above ^ position, (position &- 1) ^ position))
  }

  /// The index of the highest set bit of `value`, which must not be 0.
  @inline(__always)
  private func highestBit(of value: UInt64) -> UInt8 {
    UInt8(truncatingIfNeeded: 63 ^ (value | 1).leadingZeroBitCount)
  }

  /// The positions at which aligned runs of free units of `order`, 0 to 5, start.
  @inline(__always)
  func starts(order: UInt8) -> UInt64 {
    var starts = ~used
    if order == 0 { return starts }
    starts &= starts &>> 1
    if order == 1 { return starts & 0x5555_5555_5555_5555 }
    starts &= starts &>> 2
    if order == 2 { return starts & 0x1111_1111_1111_1111 }
    starts &= starts &>> 4
    if order == 3 { return starts & 0x0101_0101_0101_0101 }
    starts &= starts &>> 8
    if order == 4 { return starts & 0x0001_0001_0001_0001 }
    starts &= starts &>> 16
    return starts & 0x0000_0001_0000_0001
  }

  /// Whether there is an aligned run of free units of `order`, 0 to 5.
  @inline(__always)
  func hasRun(order: UInt8) -> Bool { starts(order: order) != 0 }

  /// The position of the lowest aligned run of free units of `order`, 0 to 5; 64 when there is none.
  @inline(__always)
  func lowestRun(order: UInt8) -> UInt64 { UInt64(truncatingIfNeeded: starts(order: order).trailingZeroBitCount) }
}
