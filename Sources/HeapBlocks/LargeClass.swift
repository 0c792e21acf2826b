/// A size class of the thread cache, which holds blocks above 32 KiB: a freed block serves the next request of its
/// class.
///
/// Each doubling has 16 classes. A span's blocks all have one size; an arena's blocks have any size. A block belongs to
/// the largest class that it can serve, whose size is at most 6.25 % below the block's.
@frozen
package struct LargeClass: Equatable {
  /// The class's number, 0 to 111.
  package let index: Int

  /// How many classes there are.
  @inlinable package static var count: Int { 112 }

  /// The number for "no class" where a byte holds the number of a class.
  @inlinable package static var none: Int { 255 }

  /// The largest request that has a class. It is the size of the highest class.
  @inlinable package static var maximumByteCount: UInt { 31 << 17 }

  /// The class of the smallest blocks that hold `byteCount` bytes: above 32 KiB and at most `maximumByteCount`. It is
  /// never class 0.
  @inlinable @inline(__always)
  package init(fitting byteCount: UInt) {
    self.init(sixteenthOf: byteCount &- 1, more: 1)
  }

  /// The highest class that a block of `byteCount` bytes, at least 32 KiB, can serve. For a block of 4 MiB or more its
  /// number is at least `count`.
  @inlinable @inline(__always)
  package init(within byteCount: UInt) {
    self.init(sixteenthOf: byteCount, more: 0)
  }

  /// With 2^exponent <= byteCount < 2^(exponent + 1), a class's size is a multiple of 2^(exponent - 4), a sixteenth.
  @inlinable @inline(__always)
  init(sixteenthOf byteCount: UInt, more: UInt) {
    let exponent = UInt.bitWidth &- 1 &- byteCount.leadingZeroBitCount
    let sixteenths = (byteCount >> UInt(bitPattern: exponent &- 4)) &+ more
    index = (exponent &- 16) &* 16 &+ Int(bitPattern: sixteenths)
  }
}

/// One element for each class of large blocks. The count must be a literal; it is `LargeClass.count`.
@usableFromInline
package typealias ByLargeClass<Element: ~Copyable> = InlineArray<112, Element>
