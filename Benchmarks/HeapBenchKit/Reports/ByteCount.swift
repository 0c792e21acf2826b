/// A number of bytes that prints with three significant digits and a binary unit.
public struct ByteCount: Hashable, Sendable, CustomStringConvertible {
  /// The bytes.
  public let byteCount: UInt64

  /// A count of `byteCount` bytes.
  public init(_ byteCount: UInt64) {
    self.byteCount = byteCount
  }

  public var description: String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(byteCount)
    var unit = 0
    while value >= 999.5 && unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return unit == 0 ? "\(byteCount) B" : "\(Figure.text(value, significantDigits: 3)) \(units[unit])"
  }
}
