import Addresses

/// How many free blocks there are of each order, at a constant cost for each block taken or given back.
///
/// Cutting a block of order k out of a free block of order m adds a free block to each of the orders k … m-1 and
/// takes one from order m. So what is counted is cuts, C(m) of them out of blocks of order m (blocks given back and
/// merged into order m count as -1) and T(k) for blocks of order k, and with N blocks of order 18 at first
///
///     free(j) = N [j = 18] + sum of C(m) for m > j - C(j) - sum of T(k) for k > j.
///
/// A handle to the first 40 words of a frame table: C(0) … C(18), N, T(0) … T(18). Since T(0) is in no sum, a frame
/// costs one addition.
struct FreeRunCounts {
  private let address: UInt

  init(at address: UInt) {
    self.address = address
  }

  @inline(__always)
  private func word(_ index: Int) -> UnsafeMutablePointer<Int64> {
    // SAFETY: `index` is below 40, and the table begins with 40 words for the counts.
    unsafe UnsafeMutablePointer(bitPattern: address &+ UInt(bitPattern: index) &<< 3).unsafelyUnwrapped
  }

  /// Makes all free blocks be `count` blocks of order 18.
  func start(largestBlockCount count: UInt64) {
    // SAFETY: `word(_:)` gives a word of the table.
    unsafe word(19).pointee = Int64(count)
  }

  /// A block was cut out of a free block of order `source`.
  @inline(__always)
  func cut(outOf source: UInt8) {
    // SAFETY: as in `start(largestBlockCount:)`.
    unsafe word(Int(source)).pointee &+= 1
  }

  /// A block was given back and is part of a free block of order `merged` now.
  @inline(__always)
  func merge(into merged: UInt8) {
    // SAFETY: as in `start(largestBlockCount:)`.
    unsafe word(Int(merged)).pointee &-= 1
  }

  /// A block of `order` was taken; for order 0 this need not be told.
  @inline(__always)
  func take(_ order: UInt8) {
    // SAFETY: as in `start(largestBlockCount:)`.
    unsafe word(20 &+ Int(order)).pointee &+= 1
  }

  /// A block of `order` was given back; for order 0 this need not be told.
  @inline(__always)
  func give(_ order: UInt8) {
    // SAFETY: as in `start(largestBlockCount:)`.
    unsafe word(20 &+ Int(order)).pointee &-= 1
  }

  /// The free blocks of each order.
  var freeBlocks: FreeBlockCounts {
    var counts = FreeBlockCounts()
    // SAFETY: as in `start(largestBlockCount:)`.
    var above = unsafe word(19).pointee
    var order = 18
    // Going down, `above` is the sum of C(m) - T(m) for the orders above, and N for order 18.
    while order >= 0 {
      let cuts = unsafe word(order).pointee
      counts[FrameOrder(UInt8(order))] = UInt64(above - cuts)
      if order == 18 { above = 0 }
      // SAFETY: as above.
      above += unsafe cuts - word(20 + order).pointee
      order -= 1
    }
    return counts
  }
}
