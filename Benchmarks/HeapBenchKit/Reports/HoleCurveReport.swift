public import Foundation

/// A ``HoleCurve`` as a table with bars, and as a chart in an SVG file.
public struct HoleCurveReport: Sendable {
  private let curve: HoleCurve

  /// The report of a curve.
  public init(_ curve: HoleCurve) {
    self.curve = curve
  }

  /// The table. Each line ends with a newline.
  public func text(style: TerminalStyle) -> String {
    let widths = [11] + HoleCurve.policies.map { _ in 12 } + [21]
    let room = Double(style.columnCount - widths.reduce(0, +) - 2)
    let heading = zip(["holes"] + HoleCurve.policies + ["plain-list÷firstfit"], widths).map { $0.leftPadded(to: $1) }
    var rows = [heading.map { style.text($0, .strong) }]
    let longest = log10(curve.points.flatMap(\.nanoseconds.values).max() ?? 10)
    for point in curve.points {
      var cells = [Figure.count(point.holeCount).leftPadded(to: 11)]
      for policy in HoleCurve.policies {
        let nanoseconds = point.nanoseconds[policy]
        cells.append((nanoseconds.map { Figure.preciseDuration(nanoseconds: $0) } ?? "too slow").leftPadded(to: 12))
      }
      if let own = point.nanoseconds["firstfit"], let list = point.nanoseconds[PolicyCatalog.plainList] {
        cells.append(Figure.ratio(list / own).leftPadded(to: 21))
        if room >= 8 {
          let lengths = [own, list].map { log10(max($0, 1)) / longest * room }
          cells[3] += "  " + Self.bar(own: lengths[0], list: lengths[1], style: style)
        }
      }
      rows.append(cells)
    }
    let title =
      "Processor time of one allocate + deallocate that searches for its hole: median of \(HoleCurve.roundCount) "
      + "interleaved rounds, with warm caches."
    var lines = [style.paragraph(title), ""] + style.folded(rows, widths: widths)
    lines.append("")
    for policy in HoleCurve.policies {
      guard let growth = curve.growth(of: policy) else { continue }
      lines.append(style.paragraph("\(policy): 1,000,000 holes cost \(Figure.ratio(growth)) what 1,000 cost"))
    }
    if curve.points.contains(where: { $0.nanoseconds[PolicyCatalog.plainList] == nil }) {
      let limit = HoleCurve.slowestPairNanoseconds / 1_000_000
      lines.append(style.paragraph("too slow: one pair takes more than \(limit) ms"))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Two lengths in one bar: solid up to the shorter one, then the rest of the longer one.
  private static func bar(own: Double, list: Double, style: TerminalStyle) -> String {
    let shared = String(repeating: "█", count: Int(min(own, list)))
    let rest = String(repeating: "░", count: max(0, Int(max(own, list)) - shared.count))
    return style.text(shared, .good) + style.text(rest, own < list ? .faint : .good)
  }

  /// The curve as JSON.
  public func json() throws -> Data { try curve.json() }

  /// The curve as CSV: a line for each number of holes, with each policy's nanoseconds, empty where it was too slow.
  public var csv: String {
    let header = ["holes"] + HoleCurve.policies.map { "\($0)_ns" }
    let rows = curve.points.map { point in
      ["\(point.holeCount)"] + HoleCurve.policies.map { point.nanoseconds[$0].map { "\($0.figure)" } ?? "" }
    }
    return ([header] + rows).map { $0.joined(separator: ",") + "\r\n" }.joined()
  }

  /// The curve as an SVG file with two logarithmic axes.
  public var svg: String {
    let series = HoleCurve.policies.map { policy in
      LogarithmicChart.Series(
        name: policy,
        points: curve.points.compactMap { point in
          point.nanoseconds[policy].map { (x: Double(point.holeCount), y: $0) }
        })
    }
    return LogarithmicChart(
      title: "The cost of allocate + deallocate with a search for the hole", xLabel: "holes",
      yLabel: "time of a pair", series: series, yText: LogarithmicChart.durationText
    ).svg
  }
}
