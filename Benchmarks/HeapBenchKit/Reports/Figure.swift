import Foundation

/// Numbers as short text.
enum Figure {
  /// A number with that many significant digits and no exponent. It is a whole number where it has as many or more
  /// digits before the point.
  static func text(_ value: Double, significantDigits: Int) -> String {
    guard value.isFinite, value != 0 else { return "0" }
    let magnitude = Int(log10(abs(value)).rounded(.down))
    let decimals = max(0, significantDigits - 1 - magnitude)
    let text = fixed(value, decimals: decimals)
    // Rounding may carry into one more digit: 9.996 is 10.0 and not 10.00.
    return text.filter(\.isNumber).drop { $0 == "0" }.count > significantDigits && decimals > 0
      ? fixed(value, decimals: decimals - 1) : text
  }

  /// A number with that many digits after the point.
  static func fixed(_ value: Double, decimals: Int) -> String {
    String(format: "%.\(decimals)f", value)
  }

  /// A duration as `41ns`, `1.2µs`, `13ms` or `2.5s`.
  static func duration(nanoseconds: UInt64) -> String {
    var value = Double(nanoseconds)
    for unit in ["ns", "µs", "ms"] {
      if value < 999.5 {
        let digits = unit == "ns" || value >= 99.5 ? 3 : 2
        return unit == "ns" ? "\(nanoseconds)ns" : text(value, significantDigits: digits) + unit
      }
      value /= 1000
    }
    return text(value, significantDigits: 2) + "s"
  }

  /// A duration with three significant digits, as `41.0 ns`.
  static func preciseDuration(nanoseconds: Double) -> String {
    var value = nanoseconds
    for unit in ["ns", "µs", "ms"] {
      if value < 999.5 { return text(value, significantDigits: 3) + " " + unit }
      value /= 1000
    }
    return text(value, significantDigits: 3) + " s"
  }

  /// A count as `431,977`.
  static func count(_ value: Int) -> String {
    let digits = String(value)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index) % 3 == 0 && digit != "-" { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// A count with its noun, as `1 hole` or `431,977 holes`.
  static func count(_ value: Int, _ noun: String) -> String { "\(count(value)) \(noun)\(value == 1 ? "" : "s")" }

  /// A ratio as `1.08×`: at most five characters up to 9999.
  static func ratio(_ value: Double) -> String {
    (value < 99.95 ? text(value, significantDigits: value < 1 ? 2 : 3) : fixed(value, decimals: 0)) + "×"
  }

  /// A share of 1 as `12.3%`.
  static func percent(_ value: Double) -> String {
    let percent = value * 100
    return (percent == 0 ? "0" : percent < 0.05 ? "<0.1" : fixed(percent, decimals: percent < 9.95 ? 1 : 0)) + "%"
  }
}
