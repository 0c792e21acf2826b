/// A logarithm and an exponential made of operations that IEEE 754 rounds exactly: every machine gets the same bits.
///
/// Both are exact to a few units in the last place, which is enough for any distribution. What matters is that the
/// order of the operations is fixed here and changes with no library.
enum ReproducibleMath {
  /// ln 2 in two parts: the first has few enough bits to make its product with an exponent exact.
  private static let ln2High = 0x1.62e42feep-1
  private static let ln2Low = 0x1.a39ef35793c76p-33

  /// The natural logarithm of a positive, finite number.
  ///
  /// With x = 2^e · m and m in √½ ..< √2, ln x = e ln 2 + 2 artanh s where s = (m − 1) ÷ (m + 1), and the series
  /// of artanh, s + s³/3 + s⁵/5 + …, converges fast, as s² < 0.0295.
  static func log(_ x: Double) -> Double {
    precondition(x > 0 && x.isFinite, "a logarithm needs a positive, finite number")
    var exponent = Double(x.exponent)
    var significand = x.significand
    if significand > 1.4142135623730951 {
      significand /= 2
      exponent += 1
    }
    let s = (significand - 1) / (significand + 1)
    let square = s * s
    var sum = 0.0
    var k = 23.0
    while k >= 1 {
      sum = sum * square + 1 / k
      k -= 2
    }
    return exponent * ln2High + (2 * s * sum + exponent * ln2Low)
  }

  /// e to the power of `x`, which is between −700 and 700.
  ///
  /// With x = k ln 2 + r and |r| ≤ ½ ln 2, e^x = 2^k · e^r, the latter by its series.
  static func exp(_ x: Double) -> Double {
    precondition(abs(x) <= 700, "an exponential needs a number in -700 ... 700")
    let k = (x / (ln2High + ln2Low)).rounded()
    let r = (x - k * ln2High) - k * ln2Low
    var sum = 1.0
    var n = 16.0
    while n >= 1 {
      sum = 1 + sum * r / n
      n -= 1
    }
    return Double(sign: .plus, exponent: Int(k), significand: sum)
  }

  /// `base`, which is positive, to the power of `exponent`.
  static func power(_ base: Double, _ exponent: Double) -> Double { exp(exponent * log(base)) }
}
