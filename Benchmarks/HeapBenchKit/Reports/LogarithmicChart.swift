import Foundation

/// Curves over two logarithmic axes, as a self-contained SVG file.
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
  /// The label of a power of ten on the vertical axis.
  let yText: (Int) -> String

  private static let width = 860.0
  private static let height = 520.0
  private static let plot = (left: 90.0, top: 60.0, right: 730.0, bottom: 450.0)
  private static let colours = [
    "#1f6fb4", "#c2571a", "#3d8a4f", "#8a4f9e", "#b3263a", "#7a6a1f", "#15808d", "#5b5f66",
  ]

  /// The label of a power of ten in nanoseconds, for an axis of times.
  static func durationText(_ decade: Int) -> String {
    Figure.count(Int(pow(10, Double((decade + 9) % 3)))) + [" ns", " µs", " ms", " s"][min(3, max(0, decade / 3))]
  }

  /// The file's content.
  var svg: String {
    let all = series.flatMap(\.points).filter { $0.x > 0 && $0.y > 0 }
    let xDecades = Self.decades(all.map(\.x))
    let yDecades = Self.decades(all.map(\.y))
    func x(_ value: Double) -> Double {
      Self.plot.left + (log10(value) - Double(xDecades.lowerBound)) / Double(xDecades.count - 1)
        * (Self.plot.right - Self.plot.left)
    }
    func y(_ value: Double) -> Double {
      Self.plot.bottom - (log10(value) - Double(yDecades.lowerBound)) / Double(yDecades.count - 1)
        * (Self.plot.bottom - Self.plot.top)
    }
    var body = ""
    for decade in xDecades {
      let at = Self.text(x(pow(10, Double(decade))))
      body += Self.line(at, Self.text(Self.plot.top), at, Self.text(Self.plot.bottom))
      body +=
        "<text x=\"\(at)\" y=\"\(Self.text(Self.plot.bottom + 20))\" text-anchor=\"middle\">\(Self.power(decade))</text>\n"
    }
    for decade in yDecades {
      let at = Self.text(y(pow(10, Double(decade))))
      body += Self.line(Self.text(Self.plot.left), at, Self.text(Self.plot.right), at)
      body +=
        "<text x=\"\(Self.text(Self.plot.left - 8))\" y=\"\(at)\" dy=\"4\" text-anchor=\"end\">\(yText(decade))</text>\n"
    }
    for (index, curve) in series.enumerated() where !curve.points.isEmpty {
      let colour = Self.colours[index % Self.colours.count]
      let points = curve.points.map { "\(Self.text(x($0.x))),\(Self.text(y($0.y)))" }
      body +=
        "<polyline points=\"\(points.joined(separator: " "))\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2.5\"/>\n"
      for point in curve.points {
        body +=
          "<circle cx=\"\(Self.text(x(point.x)))\" cy=\"\(Self.text(y(point.y)))\" r=\"3.5\" fill=\"\(colour)\"/>\n"
      }
      if let last = curve.points.last {
        body +=
          "<text x=\"\(Self.text(x(last.x) + 10))\" y=\"\(Self.text(y(last.y)))\" dy=\"4\" fill=\"\(colour)\" class=\"b\">"
        body += "\(curve.name.escapedForXML)</text>\n"
      }
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

  /// The powers of ten that enclose the numbers, at least two.
  private static func decades(_ values: [Double]) -> ClosedRange<Int> {
    let low = Int(log10(values.min() ?? 1).rounded(.down))
    return low...max(low + 1, Int(log10(values.max() ?? 10).rounded(.up)))
  }

  private static func text(_ value: Double) -> String { Figure.fixed(value, decimals: 1) }

  private static func power(_ decade: Int) -> String {
    decade >= 0 && decade <= 6 ? Figure.count(Int(pow(10, Double(decade)))) : "1e\(decade)"
  }

  private static func line(_ x1: String, _ y1: String, _ x2: String, _ y2: String) -> String {
    "<line x1=\"\(x1)\" y1=\"\(y1)\" x2=\"\(x2)\" y2=\"\(y2)\"/>\n"
  }
}
