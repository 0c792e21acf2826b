/// A table with a column for each allocator.
struct ComparisonTable {
  /// The content of a cell.
  struct Cell {
    let text: String
    var emphasis: TerminalStyle.Emphasis?
    /// Whether no other allocator in the row is better.
    var isBest = false

    /// An unknown figure.
    static let missing = Cell(text: "–")
    /// A figure that could not be measured; a line beneath the table says why.
    static let failed = Cell(text: "failed", emphasis: .bad)
  }

  /// A line of cells, one for each column.
  struct Row {
    let name: String
    let cells: [Cell]
    /// The text after the last column.
    var tail = ""

    /// The row with a mark at the least of the values.
    func markingBest(_ values: [Double?]) -> Row {
      let known = values.compactMap { $0 }
      guard known.count > 1, let least = known.min() else { return self }
      var cells = cells
      for index in cells.indices where values[index] == least { cells[index].isBest = true }
      return Row(name: name, cells: cells, tail: tail)
    }
  }

  /// What the table shows, in one or more lines.
  let title: String
  /// The columns' headings.
  let columns: [String]
  /// The heading above the tails.
  var tailHeading = ""
  let rows: [Row]
  /// The rows of means, beneath a rule.
  var means: [Row] = []

  /// The title, a blank line and the ``body(style:)``.
  func text(style: TerminalStyle) -> String { style.paragraph(title) + "\n\n" + body(style: style) }

  /// The table without its title, each line ended by a newline; the best of each row has a star.
  func body(style: TerminalStyle) -> String {
    let nameWidth = ((rows + means).map(\.name.count).max() ?? 0) + 2
    let widths = columns.indices.map { column in
      ([columns[column].count + 1] + (rows + means).map { $0.cells[column].text.count + 2 }).max() ?? 0
    }
    let tailWidth = ([tailHeading.count] + (rows + means).map(\.tail.count)).max().map { $0 + 2 } ?? 0
    let all = [nameWidth] + widths + [tailWidth]
    let heading =
      [String(repeating: " ", count: nameWidth)] + zip(columns, widths).map { ($0 + " ").leftPadded(to: $1) }
      + ["  " + tailHeading]
    var cells = [heading.map { style.text($0, .strong) }] + rows.map { line($0, nameWidth, widths, style) }
    if !means.isEmpty {
      let rule = String(repeating: "─", count: min(all.reduce(0, +), style.columnCount))
      cells += [[style.text(rule, .faint)]] + means.map { line($0, nameWidth, widths, style) }
    }
    return style.folded(cells, widths: all).joined(separator: "\n") + "\n"
  }

  private func line(_ row: Row, _ nameWidth: Int, _ widths: [Int], _ style: TerminalStyle) -> [String] {
    let cells = zip(row.cells, widths).map { cell, width in
      let text = (cell.text + (cell.isBest ? "*" : " ")).leftPadded(to: width)
      return (cell.isBest ? .good : cell.emphasis).map { style.text(text, $0) } ?? text
    }
    return [row.name.rightPadded(to: nameWidth)] + cells + ["  " + row.tail]
  }
}

extension String {
  /// The string without the spaces at its end.
  var trimmingEnd: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
