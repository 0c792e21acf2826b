extension GateReport {
  /// The table of figures, with baseline, current value, change, tolerance and verdict. Each line ends with a newline.
  ///
  /// - Parameter showsAll: Whether the table also lists the many layout figures that hold, are new or were not
  ///   measured; otherwise it only counts them.
  public func table(style: TerminalStyle, showsAll: Bool) -> String {
    let shown = rows.filter { showsAll || $0.isWorthALine }
    var lines: [String] = []
    if !shown.isEmpty {
      let nameWidth = (shown.map(\.name.count) + [6]).max() ?? 6
      let heading = Self.line("figure", Self.headings + ["  verdict"], nameWidth: nameWidth)
      let cells = shown.map { row in
        Self.line(row.name, row.cells + ["  " + style.text(row.verdict.rawValue, row.emphasis)], nameWidth: nameWidth)
      }
      let table = [heading.map { style.text($0, .strong) }] + cells
      // Programs look for the verdict at the end of a figure's line, as scripts/update-baselines does.
      let isFolded = style.columnCount < 80
      lines = isFolded ? style.folded(table, widths: [nameWidth] + Self.widths) : table.map { $0.joined() }
    }
    let counted = Self.groups(of: rows.filter { !$0.isWorthALine })
    if !showsAll, !counted.isEmpty {
      if !lines.isEmpty { lines.append("") }
      lines += counted.map { group, verdict, count in
        "\(group): \(Figure.count(count, "figure")), \(verdict == .holds ? "the same to the byte" : verdict.rawValue)"
      }
      lines.append("(--all shows them)")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private static let headings = ["baseline", "now", "change", "tolerance"]
  private static let widths = [14, 14, 9, 11, 12]

  /// The padded cells of a line; the last one, the verdict, is padded by nothing but its indent.
  private static func line(_ name: String, _ cells: [String], nameWidth: Int) -> [String] {
    [name.rightPadded(to: nameWidth)] + zip(cells, widths).dropLast().map { $0.leftPadded(to: $1) } + cells.suffix(1)
  }

  /// The rows counted by the first two parts of their names and by their verdict, in the order of the rows.
  private static func groups(of rows: [GateRow]) -> [(String, GateVerdict, Int)] {
    var groups: [(String, GateVerdict, Int)] = []
    for row in rows {
      let group = row.name.split(separator: "/").prefix(2).joined(separator: "/")
      if let index = groups.firstIndex(where: { $0.0 == group && $0.1 == row.verdict }) {
        groups[index].2 += 1
      } else {
        groups.append((group, row.verdict, 1))
      }
    }
    return groups
  }

  /// What the user must know beyond the table: one line each, the most serious first.
  public var remarks: [String] {
    var lines: [String] = []
    let regressions = rows.filter(\.verdict.isRegression)
    if !regressions.isEmpty {
      lines.append("worse than the tolerance allows: \(Self.list(regressions.map(\.nameAndChange)))")
    }
    for (obstacle, names) in obstacles {
      lines.append("\(obstacle); \(obstacle.isNoise ? "undecided" : "not measured"): \(Self.list(names))")
    }
    if case let rows = rows(.unknown), !rows.isEmpty {
      let names = Self.list(rows.map(\.name))
      lines.append(
        "the baseline has what nothing here measures, because it was renamed or is gone: \(names); "
          + "renew it: \(Self.renewal)")
    }
    if case let rows = rows(.new), !rows.isEmpty {
      lines.append("the baseline does not have \(Self.list(rows.map(\.name))); renew it: \(Self.renewal)")
    }
    if case let rows = rows(.foreign), !rows.isEmpty {
      let traits = differences.map { "\($0.trait.rawValue) is '\($0.now)', there '\($0.baseline)'" }
      lines.append(
        "not compared, as the baseline is of another machine or build: \(Figure.count(rows.count, "counted figure")); "
          + "here \(traits.joined(separator: ", ")); renew it with \(Self.renewal)")
    }
    if case let rows = rows(.better), !rows.isEmpty {
      lines.append(
        "better than the baseline: \(Self.list(rows.map(\.nameAndChange))); to hold it there, renew it: \(Self.renewal)"
      )
    }
    return lines
  }

  private static let renewal = "scripts/update-baselines REASON"

  /// The obstacles, each once, with the figures that it prevented.
  private var obstacles: [(GateObstacle, [String])] {
    var obstacles: [(GateObstacle, [String])] = []
    for row in rows {
      guard let obstacle = row.obstacle else { continue }
      if let index = obstacles.firstIndex(where: { $0.0 == obstacle }) {
        obstacles[index].1.append(row.name)
      } else {
        obstacles.append((obstacle, [row.name]))
      }
    }
    return obstacles
  }

  /// The first five items, and the number of the others.
  private static func list(_ items: [String]) -> String {
    let first = items.prefix(5).joined(separator: ", ")
    return items.count <= 5 ? first : "\(first) and \(Figure.count(items.count - 5)) more"
  }
}

extension GateRow {
  /// Whether the short table lists the row: all but the many layout figures about which there is nothing to say.
  fileprivate var isWorthALine: Bool { !name.hasPrefix("layout/") || ![.holds, .new, .unmeasured].contains(verdict) }

  fileprivate var cells: [String] {
    let change: String? = if let baseline, let now { GateNumber.change(from: baseline, to: now) } else { nil }
    return [baseline.map(GateNumber.text), now.map(GateNumber.text), change, tolerance?.description].map { $0 ?? "–" }
  }

  fileprivate var nameAndChange: String { "\(name) (\(cells[2]))" }

  fileprivate var emphasis: TerminalStyle.Emphasis {
    switch verdict {
    case .holds: .faint
    case .better: .good
    case .worse, .moved: .bad
    case .foreign, .new, .unknown, .unmeasured, .undecided: .strong
    }
  }
}
