/// One of the sizes that requests above 32 KiB are rounded up to, so that a freed block serves the next request alike.
///
/// Each doubling has 16 classes: a block is at most 6.25 % larger than the request. Unlike a span's blocks, an arena's are
/// not all of a class: what first fit adds, and what a resize in place leaves, makes others. A block goes by the largest
/// class that it can serve.
struct LargeClass: Equatable {
  /// The class's number, 0 to 111.
  let index: Int
  /// The size in bytes.
  let byteCount: UInt

  /// How many classes there are.
  static var count: Int { 112 }

  /// The largest request that has a class.
  static var maximumByteCount: UInt { 4 << 20 }

  /// The class of the smallest blocks that hold `byteCount` bytes: above 32 KiB and at most `maximumByteCount`.
  @inline(__always)
  init(fitting byteCount: UInt) {
    self.init(sixteenthOf: byteCount &- 1, more: 1)
  }

  /// The largest class that a block of `byteCount` bytes can serve: at least 34 KiB, below 8 MiB.
  @inline(__always)
  init(within byteCount: UInt) {
    self.init(sixteenthOf: byteCount, more: 0)
  }

  /// With 2^exponent <= bytes < 2^(exponent + 1), the size is a multiple of 2^(exponent - 4), a sixteenth.
  @inline(__always)
  private init(sixteenthOf byteCount: UInt, more: UInt) {
    let exponent = UInt.bitWidth &- 1 &- byteCount.leadingZeroBitCount
    let shift = UInt(bitPattern: exponent &- 4)
    let sixteenths = (byteCount >> shift) &+ more
    index = (exponent &- 16) &* 16 &+ Int(bitPattern: sixteenths) &- 1
    self.byteCount = sixteenths << shift
  }

  /// The smallest class's size.
  static var minimumByteCount: UInt { 34 << 10 }
}
