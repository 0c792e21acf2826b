internal import HeapBlocks

/// When a heap takes its next samples. Zero bytes are its initial value.
///
/// Samples are a Poisson process over the bytes that a heap allocates: the number of bytes between two of them is
/// exponentially distributed. A block is a sample if at least one point falls into it:
///
///     P(sample) = 1 - exp(-block size / mean)
///
/// and each sample stands for 1 / P blocks. Each size class has a countdown of its own, which changes nothing: the sum of
/// Poisson processes is one, and the distribution has no memory.
package struct SampleCountdown: ~Copyable {
  /// The mean number of bytes between two samples, 0 when the heap takes none.
  var mean: UInt
  private var random: UInt
  /// How many bytes of each class are left until the next point, at least 1, and how many of larger blocks.
  var due: BySizeClass<Int>
  var largeDue: Int
  /// How many blocks the refill under way put onto the active list.
  var loadedCount: Int
  /// How often classes without a magazine ran out, modulo 256.
  var refillCount: UInt8
  /// Whether the block that the refill popped is a sample.
  var isDue: Bool

  /// Begins with new draws.
  mutating func begin(mean: UInt, seed: UInt) {
    self.mean = mean
    random = seed | 1
    isDue = false
    for index in 0..<SizeClass.count { due[index] = draw() }
    largeDue = draw()
  }

  /// A number of bytes up to the next point.
  @inline(never)
  mutating func draw() -> Int {
    // Marsaglia's xorshift with Vigna's multiplier.
    random ^= random >> 12
    random ^= random << 25
    random ^= random >> 27
    return SampleCountdown.exponential(random &* 0x2545_F491_4F6C_DD1D, mean: mean)
  }

  /// The largest mean: 64 GiB. The products below stay under 2^63.
  package static var meanMaximum: UInt { 1 << 36 }

  /// How many bits of the logarithm's fraction are computed. What is cut off is less than one part in 2^16 of the mean.
  private static var fractionBits: UInt { 16 }

  /// -ln(u) * mean for u = `uniform` / 2^64, at least 1.
  package static func exponential(_ uniform: UInt, mean: UInt) -> Int {
    let zeros = UInt(bitPattern: (uniform | 1).leadingZeroBitCount)
    // u = m / 2^(1 + zeros) with 1 <= m < 2. Squaring m doubles its logarithm: a result of 2 or more shows the next bit.
    var m = ((uniform | 1) << zeros) >> 32
    var fraction: UInt = 0
    for _ in 0..<fractionBits {
      m = (m &* m) >> 31
      fraction <<= 1
      if m >> 32 != 0 {
        m >>= 1
        fraction |= 1
      }
    }
    let negativeLog2 = ((1 + zeros) << fractionBits) - fraction
    // ln 2 = 2977044472 / 2^32
    let negativeLog = (negativeLog2 &* 2_977_044_472) >> 32
    return max(1, Int(bitPattern: (negativeLog &* mean) >> fractionBits))
  }
}
