import Foundation

/// Curves over two logarithmic axes, each with its name at its end, as a self-contained SVG file.
struct LogarithmicChart {
  /// A named curve.
  struct Series {
    let name: String
    let points: [(x: Double, y: Double)]
  }

  let title: String
  let xLabel: String
  let yLabel: String
  let series: [Series]
  var xMarks = LogarithmicAxis.Marks.decimal
  /// The text of a mark on the vertical axis.
  let yText: (Double) -> String

  private static let plot = (left: 90.0, top: 60.0, right: 730.0, bottom: 450.0)
  private static let colours = [
    "#1f6fb4", "#c2571a", "#3d8a4f", "#8a4f9e", "#b3263a", "#7a6a1f", "#15808d", "#5b5f66",
  ]

  /// The text of a mark in nanoseconds.
  static func durationText(_ nanoseconds: Double) -> String {
    var (value, unit) = (nanoseconds, 0)
    while value >= 999.5, unit < 3 { (value, unit) = (value / 1000, unit + 1) }
    return GateNumber.text(value) + [" ns", " µs", " ms", " s"][unit]
  }

  /// The file's content.
  var svg: String {
    let all = series.flatMap(\.points).filter { $0.x > 0 && $0.y > 0 }
    let (xAxis, yAxis) = (
      LogarithmicAxis(over: all.map(\.x), marks: xMarks), LogarithmicAxis(over: all.map(\.y), marks: .decimal)
    )
    func x(_ value: Double) -> Double { Self.plot.left + xAxis.place(of: value) * (Self.plot.right - Self.plot.left) }
    func y(_ value: Double) -> Double { Self.plot.bottom - yAxis.place(of: value) * (Self.plot.bottom - Self.plot.top) }
    var body = ""
    for mark in xAxis.marks {
      let at = Self.text(x(mark))
      body += Self.line(at, Self.text(Self.plot.top), at, Self.text(Self.plot.bottom))
      body +=
        "<text x=\"\(at)\" y=\"\(Self.text(Self.plot.bottom + 20))\" text-anchor=\"middle\">\(GateNumber.text(mark))</text>\n"
    }
    for mark in yAxis.marks {
      let at = Self.text(y(mark))
      body += Self.line(Self.text(Self.plot.left), at, Self.text(Self.plot.right), at)
      body +=
        "<text x=\"\(Self.text(Self.plot.left - 8))\" y=\"\(at)\" dy=\"4\" text-anchor=\"end\">\(yText(mark))</text>\n"
    }
    let shown = series.filter { !$0.points.isEmpty }
    let ends = shown.map { curve in curve.points.last.map { y($0.y) } ?? 0 }
    let labels = LogarithmicAxis.spread(ends, apart: 17, upTo: Self.plot.bottom)
    for (index, curve) in shown.enumerated() {
      let colour = Self.colours[index % Self.colours.count]
      let points = curve.points.map { "\(Self.text(x($0.x))),\(Self.text(y($0.y)))" }
      body +=
        "<polyline points=\"\(points.joined(separator: " "))\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2.5\"/>\n"
      for point in curve.points {
        body +=
          "<circle cx=\"\(Self.text(x(point.x)))\" cy=\"\(Self.text(y(point.y)))\" r=\"3.5\" fill=\"\(colour)\"/>\n"
      }
      guard let last = curve.points.last else { continue }
      // A thin line leads from the end of the curve to its label, which may have had to move.
      let (end, label) = (x(last.x), labels[index])
      body +=
        "<path d=\"M\(Self.text(end + 5)) \(Self.text(y(last.y)))L\(Self.text(end + 18)) \(Self.text(label))\" "
        + "stroke=\"\(colour)\" fill=\"none\"/>\n"
      body += "<text x=\"\(Self.text(end + 22))\" y=\"\(Self.text(label))\" dy=\"4\" class=\"b\" "
      body += "style=\"fill:\(colour)\">\(curve.name.escapedForXML)</text>\n"
    }
    let middle = Self.text((Self.plot.left + Self.plot.right) / 2)
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="860" height="520" viewBox="0 0 860 520">
      <style>text{font-family:system-ui,sans-serif;font-size:13px;fill:#51606f}.t{font-size:17px;font-weight:600;\
      fill:#1b2733}.b{font-weight:600}line{stroke:#e3e8ec}</style>
      <rect width="100%" height="100%" fill="#ffffff"/>
      <text x="90" y="34" class="t">\(title.escapedForXML)</text>
      \(body)<text x="\(middle)" y="495" text-anchor="middle">\(xLabel.escapedForXML)</text>
      <text x="90" y="52">\(yLabel.escapedForXML)</text>
      </svg>

      """
  }

  private static func text(_ value: Double) -> String { Figure.fixed(value, decimals: 1) }

  private static func line(_ x1: String, _ y1: String, _ x2: String, _ y2: String) -> String {
    "<line x1=\"\(x1)\" y1=\"\(y1)\" x2=\"\(x2)\" y2=\"\(y2)\"/>\n"
  }
}
