// Random numbers that are the same for the same seed on every machine, in every run and with every version of Swift.
//
// Fragmentation figures of a workload made from a seed are compared to the byte. Nothing in the making of the workload
// may differ between two machines. That rules out more than the system's own generator:
//
// - The library's `random(in:)` may change its mapping from 64 bits to a range between versions of Swift. So the
//   mapping is here: the high word of the product of 64 random bits and the range's size (Lemire, "Fast random integer
//   generation in an interval", TOMACS 2019). Its bias is below size ÷ 2^64, which no sample shows.
// - `Hasher` has another seed in each process. So nothing here iterates over a Set or a Dictionary.
// - `log`, `exp`, `pow` and `cos` are the C library's, and differ in the last bit between libraries and versions. One
//   bit is enough to round a size to another byte. IEEE 754 requires exact rounding only of + − × ÷ and the square
//   root, so ReproducibleMath builds on those. Swift never fuses a product and a sum by itself.
//
// The generator is SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): one addition and a mix, and any seed is good.

/// A stream of random numbers that its seed determines, on every machine.
struct ReproducibleRandom {
  private var state: UInt64

  /// The stream of `seed`.
  init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number below `count`, which must not be 0. All numbers are equally likely.
  mutating func below(_ count: UInt64) -> UInt64 { next().multipliedFullWidth(by: count).high }

  /// An index below `count`, which must be positive.
  mutating func index(below count: Int) -> Int { Int(below(UInt64(count))) }

  /// A number in `range`, which must not be the whole of `UInt64`. All numbers are equally likely.
  mutating func within(_ range: ClosedRange<UInt64>) -> UInt64 {
    range.lowerBound + below(range.upperBound - range.lowerBound + 1)
  }

  /// A multiple of 2^-53 in 0 ..< 1. All of them are equally likely.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Whether an event of probability `share` happens.
  ///
  /// A share of 0 or less draws no number from the stream.
  mutating func chance(_ share: Double) -> Bool { share > 0 && unit() < share }

  /// A number of the exponential distribution with mean 1: −ln u.
  mutating func exponential() -> Double {
    // 0 has no logarithm; 1 − u is in (0, 1].
    -ReproducibleMath.log(1 - unit())
  }

  /// A number of the normal distribution with mean 0 and deviation 1.
  ///
  /// Marsaglia's polar method (Marsaglia and Bray, SIAM Review 1964) needs no sine or cosine.
  mutating func normal() -> Double {
    while true {
      let x = 2 * unit() - 1
      let y = 2 * unit() - 1
      let square = x * x + y * y
      guard square > 0, square < 1 else { continue }
      return x * (-2 * ReproducibleMath.log(square) / square).squareRoot()
    }
  }
}
