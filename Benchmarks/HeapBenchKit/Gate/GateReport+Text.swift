extension GateReport {
  /// The table of figures, each line ended by a newline: baseline, now, change, tolerance and verdict.
  ///
  /// - Parameter showsAll: Whether it also has the many exact figures that hold; else they are counted.
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
    let exact = rows.filter { !$0.isWorthALine }
    if !showsAll, !exact.isEmpty {
      if !lines.isEmpty { lines.append("") }
      for (group, count) in Self.groups(of: exact.map(\.name)) {
        lines.append("\(group): \(Figure.count(count)) figures hold to the byte; --all shows them")
      }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private static let headings = ["baseline", "now", "change", "tolerance"]
  private static let widths = [14, 14, 9, 11]

  private static func line(_ name: String, _ cells: [String], nameWidth: Int) -> String {
    name.rightPadded(to: nameWidth) + zip(cells, widths).map { $0.leftPadded(to: $1) }.joined()
  }

  /// The first two parts of the names, in their order, with how many names begin with them.
  private static func groups(of names: [String]) -> [(String, Int)] {
    var groups: [(String, Int)] = []
    for name in names {
      let group = name.split(separator: "/").prefix(2).joined(separator: "/")
      if groups.last?.0 == group { groups[groups.count - 1].1 += 1 } else { groups.append((group, 1)) }
    }
    return groups
  }

  /// What a person must know beyond the table, one line each, the gravest first.
  public var remarks: [String] {
    var lines: [String] = []
    let regressions = rows.filter(\.verdict.isRegression)
    if !regressions.isEmpty {
      lines.append("\(Self.list(regressions.map(\.nameAndChange))) beyond the tolerance")
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
      let traits = differences.map { "\($0.trait.rawValue) '\($0.now)' where the baseline has '\($0.baseline)'" }
      lines.append(
        "\(Figure.count(rows.count)) counted figures are not compared, as this is another machine or build: "
          + "\(traits.joined(separator: ", ")); renew it here: \(Self.renewal)")
    }
    if case let rows = rows(.better), !rows.isEmpty {
      lines.append(
        "\(Self.list(rows.map(\.nameAndChange))) for the better; to hold it there, renew the baseline: \(Self.renewal)")
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
  /// Whether the short table has it: all but the exact figures that hold.
  fileprivate var isWorthALine: Bool { verdict != .holds || tolerance != .exact || !name.hasPrefix("layout/") }

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
