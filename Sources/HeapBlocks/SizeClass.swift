/// One of the block sizes that spans are carved into.
///
/// Up to 256 bytes a class is a step of 16 bytes, and its number is the size in steps: the hot path computes class =
/// (size + 15) / 16 without a table or a search. Class 0 serves requests of 0 bytes and has blocks of 16 bytes. Above
/// 256 bytes each doubling has 8 classes. For every request s > 128
///
///     s <= blockSize(s) < s + s / 8
///
/// which is at most 12.5 % internal waste. Every block size b is a multiple of 16, and of the highest power of two that
/// is at most b / 8 (of b itself for the powers of two). So a request rounded up to a multiple of its alignment falls
/// into a class whose blocks are aligned too: they start at multiples of b in a span aligned to 64 KiB.
@frozen
package struct SizeClass: Equatable, Sendable {
  /// The class's number, 0 to 72.
  package let index: Int

  /// The class with the number `index`.
  @inlinable @inline(__always)
  package init(index: Int) { self.index = index }

  /// How many classes there are.
  @inlinable package static var count: Int { 73 }

  /// The largest request that spans serve, in bytes.
  @inlinable package static var maximumByteCount: UInt { 32 << 10 }

  /// The largest request whose class is its size in steps of 16 bytes.
  @inlinable package static var stepMaximumByteCount: UInt { 256 }

  /// The class of the smallest blocks that hold `byteCount` bytes, which must be at most `maximumByteCount`.
  /// - Complexity: O(1)
  @inlinable @inline(__always)
  package init(fitting byteCount: UInt) {
    if byteCount <= SizeClass.stepMaximumByteCount {
      self.init(index: Int(bitPattern: (byteCount &+ 15) >> 4))
    } else {
      self.init(aboveSteps: byteCount)
    }
  }

  /// The same for more than `stepMaximumByteCount` bytes.
  @inlinable @inline(__always)
  package init(aboveSteps byteCount: UInt) {
    // 2^(63 - zeros) < byteCount <= 2^(64 - zeros). Shifted until its highest bit is the word's, `last` shows 8 plus
    // its eighth in its upper four bits. A shift by a computed count, or a word that the compiler knows not to be 0,
    // would take fewer instructions and more time: each depends on a register's previous value.
    let last = byteCount &- 1
    let zeros = last.leadingZeroBitCount
    let eighths = Int(bitPattern: (last &<< UInt(bitPattern: zeros)) >> UInt(UInt.bitWidth - 4))
    self.init(index: (UInt.bitWidth - 1) &* 8 &- 55 &+ eighths &- zeros &* 8)
  }

  /// The request that gets a block of at least `byteCount` bytes at a multiple of `alignment`, a power of two.
  @inlinable package static func byteCount(_ byteCount: UInt, alignedTo alignment: UInt) -> UInt {
    (max(byteCount, 1) &+ alignment &- 1) & ~(alignment &- 1)
  }

  /// The size of the class's blocks, in bytes.
  @inlinable @inline(__always)
  package var blockByteCount: UInt {
    if index <= 16 { return UInt(bitPattern: Swift.max(index, 1)) &* 16 }
    let above = UInt(bitPattern: index &- 17)
    return (above % 8 &+ 9) << (5 &+ above / 8)
  }

  /// Whether threads keep free blocks of the class in a magazine. Classes above 1 KiB do: their spans have few blocks,
  /// and such a span's own list would be exchanged at every other request.
  @inlinable @inline(__always)
  package var hasMagazine: Bool { index >= SizeClass.firstWithMagazine }

  /// The number of the smallest class with a magazine.
  @inlinable package static var firstWithMagazine: Int { SizeClass(aboveSteps: 1 << 10).index + 1 }
}

/// One element for each size class. The count must be a literal; it is `SizeClass.count`.
@usableFromInline
package typealias BySizeClass<Element: ~Copyable> = InlineArray<73, Element>
