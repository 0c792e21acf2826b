extension HeapPicture {
  /// The picture in block characters: rows of the address space, each with the offset of its start.
  ///
  /// - Parameter rowCount: The most rows.
  public func text(style: TerminalStyle, rowCount: Int = 12) -> String {
    let labelWidth = 9
    let columnCount = style.columnCount - labelWidth - 2
    let shares = shares(inCells: rowCount * columnCount)
    let cellByteCount = Double(extentByteCount) / Double(max(1, shares.count))
    var lines: [String] = []
    for start in stride(from: 0, to: shares.count, by: columnCount) {
      let row = shares[start..<min(start + columnCount, shares.count)]
      let label = "\(ByteCount(UInt64(Double(start) * cellByteCount)))".leftPadded(to: labelWidth)
      lines.append(style.text(label, .faint) + " " + Self.shade(row, style: style))
    }
    let key = "each cell \(ByteCount(UInt64(cellByteCount.rounded(.up)))):  "
    let shades = Self.shades.reversed().map { "\($0.glyph) \($0.meaning)" }.joined(separator: "   ")
    let indent = String(repeating: " ", count: labelWidth + 1)
    let isWide = indent.count + key.count + shades.count <= style.columnCount
    lines.append(style.text(isWide ? indent + key + shades : style.paragraph(key + shades), .faint))
    return lines.joined(separator: "\n") + "\n"
  }

  /// The characters for shares in use, each with the lowest share that it stands for.
  private static let shades: [(from: Double, glyph: Character, meaning: String, colour: Int)] = [
    (0, "·", "free", 240), (0.001, "░", "a quarter used", 152), (0.375, "▒", "half", 74),
    (0.625, "▓", "three quarters", 32), (0.875, "█", "all", 25),
  ]

  /// The cells of one row. An escape sequence stands only where the colour changes.
  private static func shade(_ shares: ArraySlice<Double>, style: TerminalStyle) -> String {
    var text = ""
    var current: Int?
    for share in shares {
      guard let shade = shades.last(where: { share >= $0.from }) else { continue }
      if style.hasColour && shade.colour != current {
        text += "\u{1B}[38;5;\(shade.colour)m"
        current = shade.colour
      }
      text.append(shade.glyph)
    }
    return style.hasColour ? text + "\u{1B}[0m" : text
  }
}
