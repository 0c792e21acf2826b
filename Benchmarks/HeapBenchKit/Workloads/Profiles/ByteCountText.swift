/// Byte counts as written in a profile: `64`, `4 KiB`, `1.5 MiB`.
enum ByteCountText {
  private static let units: [(name: String, byteCount: UInt64)] = [
    ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1),
  ]

  /// The byte count of `text`; nil when it is none. A fraction must give a whole number of bytes.
  static func value(of text: String) -> UInt64? {
    let unit = units.first { text.hasSuffix($0.name) } ?? ("", 1)
    let number = text.dropLast(unit.name.count)
    let digits = unit.name.isEmpty ? number : number.hasSuffix(" ") ? number.dropLast() : number
    guard let value = Double(digits), value >= 0, !digits.contains(where: \.isLetter) else { return nil }
    let byteCount = value * Double(unit.byteCount)
    return byteCount < 0x1p53 && byteCount == byteCount.rounded() ? UInt64(byteCount) : nil
  }

  /// The shortest exact text of `byteCount`.
  static func text(_ byteCount: UInt64) -> String {
    let unit = units.first { byteCount >= $0.byteCount && byteCount.isMultiple(of: $0.byteCount) } ?? ("B", 1)
    return unit.name == "B" ? "\(byteCount)" : "\(byteCount / unit.byteCount) \(unit.name)"
  }
}
