/// Every goal with its bound, the measured figure and the verdict, as a table.
struct GoalTable {
  private let verdicts: [(goal: Goal, measured: Goal.Measured?)]
  private let hidesMissing: Bool
  private let hasFullSize: Bool

  /// The table of some goals. Of a report on a few workloads it shows only the goals that were measured.
  init(_ report: ComparisonReport, goals: [Goal] = Goal.all) {
    verdicts = goals.map { ($0, $0.evaluate(report)) }
    hidesMissing = !report.isWhole
    hasFullSize = report.patternPercent >= 100
  }

  /// Whether no goal was measured.
  var isEmpty: Bool { verdicts.allSatisfy { $0.measured == nil } }

  func text(style: TerminalStyle) -> String {
    let figureWidth = (verdicts.map(\.goal.figure.count).max() ?? 0) + 2
    let boundWidth = (verdicts.map(\.goal.bound.count).max() ?? 0) + 2
    let widths = [figureWidth, boundWidth, 9, 24]
    let heading = ["figure of heaplab".rightPadded(to: figureWidth), "goal".rightPadded(to: boundWidth), " measured"]
    var rows = [heading.map { style.text($0, .strong) }]
    for (goal, measured) in verdicts where measured != nil || !hidesMissing {
      rows.append(
        [goal.figure.rightPadded(to: figureWidth), goal.bound.rightPadded(to: boundWidth)]
          + verdict(on: goal, measured, style))
    }
    let lines = ["Goals of heaplab.", ""] + style.folded(rows, widths: widths)
    return (lines + [style.paragraph(counts)]).joined(separator: "\n") + "\n"
  }

  /// The measured value, and what it means for the goal.
  private func verdict(on goal: Goal, _ measured: Goal.Measured?, _ style: TerminalStyle) -> [String] {
    guard let measured else { return ["–".leftPadded(to: 9), "  not measured"] }
    let value = measured.value.isFinite ? Figure.text(measured.value, significantDigits: 3) : "–"
    let place = measured.place.map { style.text("  \($0)", .faint) } ?? ""
    let verdict =
      isComparable(goal)
      ? style.text(measured.isMet ? "met" : "missed", measured.isMet ? .good : .bad) : "not comparable"
    return [value.leftPadded(to: 9), "  " + verdict + place]
  }

  private func isComparable(_ goal: Goal) -> Bool { hasFullSize || !goal.needsFullSize }

  private var counts: String {
    let measured = verdicts.filter { isComparable($0.goal) }.compactMap(\.measured)
    let missing = verdicts.count { $0.measured == nil }
    let incomparable = verdicts.count { $0.measured != nil && !isComparable($0.goal) }
    let counts = [
      "\(measured.count { $0.isMet }) met", "\(measured.count { !$0.isMet }) missed",
      incomparable > 0 ? "\(incomparable) not comparable, since the patterns were smaller than the bar's" : nil,
      missing > 0 ? "\(missing) not measured" : nil,
    ]
    return counts.compactMap { $0 }.joined(separator: ", ")
  }
}
