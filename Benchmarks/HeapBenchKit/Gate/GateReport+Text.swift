extension GateReport {
  /// The table of figures, each line ended by a newline: baseline, now, change, tolerance and verdict.
  ///
  /// - Parameter showsAll: Whether it also has the many figures of layouts that hold or are new; else they are counted.
  public func table(style: TerminalStyle, showsAll: Bool) -> String {
    let shown = rows.filter { showsAll || $0.isWorthALine }
    var lines: [String] = []
    if !shown.isEmpty {
      let nameWidth = (shown.map(\.name.count) + [6]).max() ?? 6
      lines.append(style.text(Self.line("figure", Self.headings, nameWidth: nameWidth) + "  verdict", .strong))
      for row in shown {
        let line = Self.line(row.name, row.cells, nameWidth: nameWidth)
        lines.append(line + "  " + style.text(row.verdict.rawValue, row.emphasis))
      }
    }
    let counted = Self.groups(of: rows.filter { !$0.isWorthALine })
    if !showsAll, !counted.isEmpty {
      if !lines.isEmpty { lines.append("") }
      lines += counted.map { group, verdict, count in
        "\(group): \(Figure.count(count)) figures, \(verdict == .holds ? "the same to the byte" : verdict.rawValue)"
      }
      lines.append("(--all shows them)")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private static let headings = ["baseline", "now", "change", "tolerance"]
  private static let widths = [14, 14, 9, 11]

  private static func line(_ name: String, _ cells: [String], nameWidth: Int) -> String {
    name.rightPadded(to: nameWidth) + zip(cells, widths).map { $0.leftPadded(to: $1) }.joined()
  }

  /// The first two parts of the names, in their order, with how many rows begin with them and have the same verdict.
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

  /// What a person must know beyond the table, one line each, the gravest first.
  public var remarks: [String] {
    var lines: [String] = []
    let regressions = rows.filter(\.verdict.isRegression)
    if !regressions.isEmpty {
      lines.append("worse than the tolerance allows: \(Self.list(regressions.map(\.nameAndChange)))")
    }
    for (obstacle, names) in obstacles {
      lines.append("\(obstacle); not measured: \(Self.list(names))")
    }
    if case let rows = rows(.unknown), !rows.isEmpty {
      lines.append(
        "the baseline has what nothing here measures, because it was renamed or is gone: \(Self.list(rows.map(\.name)));"
          + " renew it: \(Self.renewal)")
    }
    if case let rows = rows(.new), !rows.isEmpty {
      lines.append("the baseline does not have \(Self.list(rows.map(\.name))); renew it: \(Self.renewal)")
    }
    if case let rows = rows(.foreign), !rows.isEmpty {
      let traits = differences.map { "\($0.trait.rawValue) is '\($0.now)', there '\($0.baseline)'" }
      lines.append(
        "not compared, as the baseline is of another machine or build: \(Figure.count(rows.count)) counted figures; here "
          + "\(traits.joined(separator: ", ")); renew it with \(Self.renewal)")
    }
    if case let rows = rows(.better), !rows.isEmpty {
      lines.append(
        "better than the baseline: \(Self.list(rows.map(\.nameAndChange))); to hold it there, renew it: \(Self.renewal)"
      )
    }
    return lines
  }

  private static let renewal = "scripts/update-baselines REASON"

  /// The obstacles, each once, with the figures that were not measured because of it.
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

  /// The first few, and how many more there are.
  private static func list(_ items: [String]) -> String {
    let first = items.prefix(5).joined(separator: ", ")
    return items.count <= 5 ? first : "\(first) and \(Figure.count(items.count - 5)) more"
  }
}

extension GateRow {
  /// Whether the short table has it: all but the many of layouts of which there is nothing to say.
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
    case .foreign, .new, .unknown, .unmeasured: .strong
    }
  }
}
