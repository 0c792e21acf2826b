/// Marsaglia's xorshift64. Three shifts a number keep the loop around the allocator short.
struct Random {
  private var state: UInt64

  /// A stream of its own for each seed.
  init(seed: Int) { state = UInt64(bitPattern: Int64(seed)) &* 0x9E37_79B9_7F4A_7C15 ^ 0x2545_F491_4F6C_DD1D | 1 }

  @inline(__always) mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  /// A number below `count`: the high word of a product, which needs no division (Lemire 2019).
  @inline(__always) mutating func below(_ count: Int) -> Int {
    Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(truncatingIfNeeded: count)).high)
  }

  /// Two numbers of 32 bits, for a loop that draws a place and a size at once.
  @inline(__always) mutating func nextHalves() -> (UInt32, UInt32) {
    let word = next()
    return (UInt32(truncatingIfNeeded: word), UInt32(truncatingIfNeeded: word >> 32))
  }

  /// Scales 32 random bits to a number below `count`, which has no more bits.
  @inline(__always) static func scaled(_ bits: UInt32, below count: UInt32) -> Int {
    Int(truncatingIfNeeded: (UInt64(bits) &* UInt64(count)) >> 32)
  }
}
