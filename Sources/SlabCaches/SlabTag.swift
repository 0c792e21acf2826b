import Synchronization

/// Gives each cache a tag that no other has.
enum SlabTag {
  private static let count = Atomic<UInt>(0)

  /// The next tag: odd, and unlikely as the content of memory that is no slab.
  static func next() -> UInt {
    // Relaxed: the number orders nothing. The product of odd numbers is odd and differs for each of them.
    let number = count.wrappingAdd(2, ordering: .relaxed).newValue &+ 1
    return number &* UInt(truncatingIfNeeded: 0x9E37_79B9_7F4A_7C15 as UInt64)
  }
}
