/// Every goal with its bound, the measured figure and the verdict, as a table.
struct GoalTable {
  private let verdicts: [(goal: Goal, measured: Goal.Measured?)]
  private let hidesMissing: Bool

  /// The table of some goals. Of a report on a few workloads it shows only the goals that were measured.
  init(_ report: ComparisonReport, goals: [Goal] = Goal.all) {
    verdicts = goals.map { ($0, $0.evaluate(report)) }
    hidesMissing = !report.isWhole
  }

  /// Whether no goal was measured.
  var isEmpty: Bool { verdicts.allSatisfy { $0.measured == nil } }

  func text(style: TerminalStyle) -> String {
    let figureWidth = (verdicts.map(\.goal.figure.count).max() ?? 0) + 2
    let boundWidth = (verdicts.map(\.goal.bound.count).max() ?? 0) + 2
    let heading =
      "figure of heaplab".rightPadded(to: figureWidth) + "goal".rightPadded(to: boundWidth)
      + "measured".leftPadded(to: 9)
    var lines = ["Goals of heaplab.", "", style.text(heading, .strong)]
    for (goal, measured) in verdicts where measured != nil || !hidesMissing {
      var line = goal.figure.rightPadded(to: figureWidth) + goal.bound.rightPadded(to: boundWidth)
      if let measured {
        let value = measured.value.isFinite ? Figure.text(measured.value, significantDigits: 3) : "–"
        line += value.leftPadded(to: 9) + "  "
        line += style.text(measured.isMet ? "met" : "missed", measured.isMet ? .good : .bad)
        if let place = measured.place { line += style.text("  \(place)", .faint) }
      } else {
        line += "–".leftPadded(to: 9) + "  not measured"
      }
      lines.append(line)
    }
    let measured = verdicts.compactMap(\.measured)
    let counts = [
      "\(measured.count { $0.isMet }) met", "\(measured.count { !$0.isMet }) missed",
      measured.count < verdicts.count ? "\(verdicts.count - measured.count) not measured" : nil,
    ]
    lines.append(counts.compactMap { $0 }.joined(separator: ", "))
    return lines.joined(separator: "\n") + "\n"
  }
}
