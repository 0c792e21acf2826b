// Numbers that are the same for the same seed on every machine, in every run and with every Swift.
//
// A workload made from a seed is compared by its fragmentation figures, to the byte, so that nothing in its making
// may differ between two machines. That rules out more than the system's own generator:
//
// - The library's `random(in:)` may change how it maps 64 bits to a range from one Swift to the next; so the mapping
//   is here: the high word of the product of 64 random bits and the range's size (Lemire, "Fast random integer
//   generation in an interval", TOMACS 2019). It is exact up to a bias below size ÷ 2^64, which no sample shows.
// - `Hasher` is seeded anew in each process; so nothing here iterates over a Set or a Dictionary.
// - `log`, `exp`, `pow`, `cos` are the C library's, and differ in the last bit between libraries and their versions;
//   one bit is enough to round a size to another byte. IEEE 754 requires exact rounding of + − × ÷ and the square
//   root only, so that ReproducibleMath builds on those, and Swift never fuses a product and a sum by itself.
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

  /// A number below `count`, which is not 0, each as likely as any other.
  mutating func below(_ count: UInt64) -> UInt64 { next().multipliedFullWidth(by: count).high }

  /// An index below `count`, which is positive.
  mutating func index(below count: Int) -> Int { Int(below(UInt64(count))) }

  /// A number of `range`, each as likely as any other; the range must not be the whole of `UInt64`.
  mutating func within(_ range: ClosedRange<UInt64>) -> UInt64 {
    range.lowerBound + below(range.upperBound - range.lowerBound + 1)
  }

  /// A multiple of 2^-53 in 0 ..< 1, each as likely as any other.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Whether an event of probability `share` happens.
  ///
  /// A share of 0 or less takes no number from the stream.
  mutating func chance(_ share: Double) -> Bool { share > 0 && unit() < share }

  /// A number of the exponential distribution with mean 1: −ln u.
  mutating func exponential() -> Double {
    // The unit interval's 0 would have no logarithm; 1 − u is in (0, 1].
    -ReproducibleMath.log(1 - unit())
  }

  /// A number of the normal distribution with mean 0 and deviation 1.
  ///
  /// By Marsaglia's polar method (Marsaglia and Bray, SIAM Review 1964), which needs no sine or cosine.
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
