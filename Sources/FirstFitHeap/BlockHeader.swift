// The word in front of every block.
//
//   63            48 47                                 4 3 2   1         0
//   +---------------+------------------------------------+---+---------+-------+
//   |     seal      |   size of the block, in bytes      | 0 | below   | in    |
//   |               |   (a multiple of the granule)      |   | is free | use   |
//   +---------------+------------------------------------+---+---------+-------+
//
// The seal tells a header from a word of user data. It is the top bits of a product: a large odd constant times the
// header's offset in its range, mixed with its size and in-use bit (multiplicative hashing: Knuth, TAOCP 3, section
// 6.4). It exposes a pointer into the middle of a block, a header that a neighbour overran, and a block already freed,
// with one miss in 2^16 (2^6 where words have 32 bits). Offsets are relative to the range, so a heap inside a block of
// another heap has different seals. The seal leaves out the bit "below is free", since a neighbour sets and clears it.

/// The word in front of a block: its size, whether it is in use, and whether the block below it is free.
struct BlockHeader: Equatable {
  let word: UInt

  private static var inUseBit: UInt { 1 }
  private static var belowIsFreeBit: UInt { 2 }
  private static var sealShift: UInt { UInt.bitWidth == 64 ? 48 : 26 }
  private static var sealMask: UInt { ~0 << sealShift }
  private static var sizeMask: UInt { ~sealMask & ~(BlockLayout.granuleByteCount - 1) }

  /// The bits that the seal covers.
  private static var vouchedMask: UInt { ~sealMask & ~belowIsFreeBit }

  /// 2^64 divided by the golden ratio.
  private static var multiplier: UInt { UInt(truncatingIfNeeded: 0x9E37_79B9_7F4A_7C15 as UInt64) }

  @inline(__always) init(word: UInt) {
    self.word = word
  }

  /// The header of a block of `byteCount` bytes, `offset` bytes into its range.
  @inline(__always) init(byteCount: UInt, isInUse: Bool, belowIsFree: Bool = false, offset: UInt) {
    let vouched = byteCount | (isInUse ? Self.inUseBit : 0)
    word =
      vouched | (Self.product(of: vouched, offset: offset) & Self.sealMask) | (belowIsFree ? Self.belowIsFreeBit : 0)
  }

  /// The product whose top bits are the seal, in place; its lower bits mean nothing.
  @inline(__always) private static func product(of vouched: UInt, offset: UInt) -> UInt {
    (vouched ^ offset) &* multiplier
  }

  /// The bytes of the block, this header included.
  @inline(__always) var byteCount: UInt { word & Self.sizeMask }

  /// Whether the block is allocated.
  @inline(__always) var isInUse: Bool { word & Self.inUseBit != 0 }

  /// Whether the block is in use and has `byteCount` bytes, in one compare.
  @inline(__always) func isInUse(of byteCount: UInt) -> Bool {
    word & Self.vouchedMask == byteCount | Self.inUseBit
  }

  /// Whether the block that ends where this one starts is a hole.
  @inline(__always) var belowIsFree: Bool { word & Self.belowIsFreeBit != 0 }

  /// Whether this is a header that the heap wrote at `offset` bytes into a range.
  @inline(__always) func isSealed(offset: UInt) -> Bool {
    let expected = Self.product(of: word & Self.vouchedMask, offset: offset)
    return (expected ^ word) >> Self.sealShift == 0
  }

  /// The same header with the "below is free" bit set or cleared.
  @inline(__always) func with(belowIsFree: Bool) -> BlockHeader {
    BlockHeader(word: belowIsFree ? word | Self.belowIsFreeBit : word & ~Self.belowIsFreeBit)
  }
}
