// What libheaplab is to reach beside its peers, and how each figure is formed. A bar is met or missed by the number that
// was measured, not by the one that is printed; a figure whose peer or workload is not there is not measured, never met.

/// A figure that the general-purpose allocator is to reach.
struct Bar: Sendable {
  /// What is measured.
  let figure: String
  /// The bound, for people.
  let bound: String
  /// What was measured and what it may be at most; nil when something that it needs was not measured.
  let evaluate: @Sendable (ComparisonReport) -> Measured?

  /// A figure beside its bound.
  struct Measured: Hashable, Sendable {
    let value: Double
    let limit: Double
    /// Where the value was found, or what it is beside.
    var place: String?
    /// Whether the value must stay below the limit, and may not equal it.
    var isStrict = false

    var isMet: Bool { isStrict ? value < limit : value <= limit }

    /// A measurement that the allocator did not survive: no bar is met by failing.
    static func failed(_ workload: String, limit: Double) -> Measured {
      Measured(value: .infinity, limit: limit, place: "failed: \(workload)")
    }
  }
}

/// The verdicts on a report.
struct BarTable {
  private let verdicts: [(bar: Bar, measured: Bar.Measured?)]
  private let hidesMissing: Bool

  /// The verdicts of some bars; of a report on a few workloads only those that could be formed are shown.
  init(_ report: ComparisonReport, bars: [Bar] = Bar.all) {
    verdicts = bars.map { ($0, $0.evaluate(report)) }
    hidesMissing = !report.isWhole
  }

  /// Whether nothing that a bar needs was measured.
  var isEmpty: Bool { verdicts.allSatisfy { $0.measured == nil } }

  func text(style: TerminalStyle) -> String {
    let figureWidth = (verdicts.map(\.bar.figure.count).max() ?? 0) + 2
    let boundWidth = (verdicts.map(\.bar.bound.count).max() ?? 0) + 2
    let heading =
      "figure of heaplab".rightPadded(to: figureWidth) + "bar".rightPadded(to: boundWidth)
      + "measured".leftPadded(to: 9)
    var lines = ["What heaplab is to reach.", "", style.text(heading, .strong)]
    for (bar, measured) in verdicts where measured != nil || !hidesMissing {
      var line = bar.figure.rightPadded(to: figureWidth) + bar.bound.rightPadded(to: boundWidth)
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
