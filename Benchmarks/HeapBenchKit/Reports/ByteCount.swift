/// A number of bytes that prints with three significant digits and a binary unit.
public struct ByteCount: Hashable, Sendable, CustomStringConvertible {
  /// The bytes.
  public let byteCount: UInt64

  /// A count of `byteCount` bytes.
  public init(_ byteCount: UInt64) {
    self.byteCount = byteCount
  }

  /// The count that an argument like `512K`, `2M`, `1G` or `4096` means; nil where it means none, or 2⁶³ bytes or more.
  public init?(argument text: String) {
    let units: [Character: Int] = ["K": 10, "M": 20, "G": 30]
    let shift = text.last.flatMap { units[Character($0.uppercased())] }
    guard let number = Int(shift == nil ? text[...] : text.dropLast()), number >= 0 else { return nil }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << (shift ?? 0))
    guard !overflow else { return nil }
    self.init(UInt64(bytes))
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
