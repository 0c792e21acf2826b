import Addresses

/// How many free blocks of each order there are, at a constant cost per allocation and deallocation.
///
/// Cutting a block of order k out of a free block of order m adds a free block to each of the orders k … m-1 and
/// removes one from order m. So the counters count cuts: C(m), cuts out of blocks of order m, less merges into order m;
/// and T(k), blocks of order k taken, less those given back. With N blocks of order 18 at the start,
///
///     free(j) = N [j = 18] + sum of C(m) for m > j - C(j) - sum of T(k) for k > j.
///
/// A handle to the first 40 words of a frame table: C(0) … C(18), N, T(0) … T(18). T(0) appears in no sum, so a single
/// frame costs one addition.
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

  /// Starts with `count` free blocks of order 18 and no others.
  func start(largestBlockCount count: UInt64) {
    // SAFETY: `word(_:)` gives a word of the table.
    unsafe word(19).pointee = Int64(count)
  }

  /// Counts a block cut out of a free block of order `source`.
  @inline(__always)
  func cut(outOf source: UInt8) {
    // SAFETY: as in `start(largestBlockCount:)`.
    unsafe word(Int(source)).pointee &+= 1
  }

  /// Counts a block given back that is now part of a free block of order `merged`.
  @inline(__always)
  func merge(into merged: UInt8) {
    // SAFETY: as in `start(largestBlockCount:)`.
    unsafe word(Int(merged)).pointee &-= 1
  }

  /// Counts a taken block of `order`; not needed for order 0.
  @inline(__always)
  func take(_ order: UInt8) {
    // SAFETY: as in `start(largestBlockCount:)`.
    unsafe word(20 &+ Int(order)).pointee &+= 1
  }

  /// Counts a block of `order` given back; not needed for order 0.
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
    // On the way down, `above` is the sum of C(m) - T(m) over the orders above, and N for order 18.
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
