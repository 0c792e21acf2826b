extension TerminalStyle {
  /// The lines of a table whose cells are padded to `widths`. Columns that do not fit beside each other continue below,
  /// as further blocks of lines, each with the first column again. A row of one cell is a line of its own in every
  /// block, and is not padded.
  ///
  /// - Parameter widths: The visible widths; cells may hold escape sequences besides.
  func folded(_ rows: [[String]], widths: [Int]) -> [String] {
    let blocks = blocks(of: widths)
    return blocks.enumerated().flatMap { number, columns in
      (number == 0 ? [] : [""])
        + rows.map { row in
          Self.trimmed(row[0] + columns.filter { $0 < row.count }.map { row[$0] }.joined())
        }
    }
  }

  /// The line without the spaces at its end, before an escape sequence too.
  private static func trimmed(_ line: String) -> String {
    let (line, reset) = (line.trimmingEnd, "\u{1B}[0m")
    return line.hasSuffix(reset) ? trimmed(String(line.dropLast(reset.count))) + reset : line
  }

  /// The columns after the first, in blocks that fit beside the first.
  func blocks(of widths: [Int]) -> [Range<Int>] {
    var blocks: [Range<Int>] = []
    var start = 1
    while start < widths.count {
      var end = start + 1
      var width = widths[0] + widths[start]
      while end < widths.count, width + widths[end] <= columnCount {
        width += widths[end]
        end += 1
      }
      blocks.append(start..<end)
      start = end
    }
    return blocks
  }
}
