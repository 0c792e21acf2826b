/// The sizes by which blocks above 32 KiB are cached, so that a freed block serves the next request alike.
///
/// Each doubling has 16 classes. Unlike a span's blocks, an arena's are of any size: a block goes by the largest class
/// that it can serve, whose size is at most 6.25 % below its own.
struct LargeClass: Equatable {
  /// The class's number, 0 to 111.
  let index: Int

  /// How many classes there are.
  static var count: Int { 112 }

  /// The largest request that has a class, and that class's size.
  static var maximumByteCount: UInt { 31 << 17 }

  /// The class of the smallest blocks that hold `byteCount` bytes: above 32 KiB and at most `maximumByteCount`. There
  /// is one below.
  @inline(__always)
  init(fitting byteCount: UInt) {
    self.init(sixteenthOf: byteCount &- 1, more: 1)
  }

  /// The largest class that a block of `byteCount` bytes, at least 32 KiB, can serve; past the last for large ones.
  @inline(__always)
  init(within byteCount: UInt) {
    self.init(sixteenthOf: byteCount, more: 0)
  }

  /// With 2^exponent <= bytes < 2^(exponent + 1), the size is a multiple of 2^(exponent - 4), a sixteenth.
  @inline(__always)
  private init(sixteenthOf byteCount: UInt, more: UInt) {
    let exponent = UInt.bitWidth &- 1 &- byteCount.leadingZeroBitCount
    let sixteenths = (byteCount >> UInt(bitPattern: exponent &- 4)) &+ more
    index = (exponent &- 16) &* 16 &+ Int(bitPattern: sixteenths)
  }
}
