/// Groups of horizontal bars, each group in a scale of its own, as a self-contained SVG file.
struct BarChart {
  /// Bars that are compared with each other.
  struct Group {
    let title: String
    let bars: [(name: String, value: Double)]
  }

  let title: String
  let groups: [Group]
  /// The name of the bars that stand out.
  let highlighted: String
  /// Sentences beneath the bars.
  let notes: [String]

  private static let (width, labelWidth, barWidth, lineHeight) = (860, 110, 620.0, 20)

  /// A bar longer than this many times the median is cut: it would make the others too short to compare.
  private static let longest = 2.0

  /// The file's content.
  var svg: String {
    var body = ""
    var y = 58
    for group in groups {
      body += "<text x=\"24\" y=\"\(y)\" class=\"b\">\(group.title.escapedForXML)</text>\n"
      y += 8
      let values = group.bars.map(\.value)
      let scale = min(values.max() ?? 1, (values.median ?? 1) * Self.longest)
      for bar in group.bars.sorted(by: { $0.value < $1.value }) {
        body += self.bar(bar.name, bar.value, scale: scale, y: y)
        y += Self.lineHeight
      }
      y += 30
    }
    for note in notes {
      for line in note.wrapped(to: 120).split(separator: "\n") {
        body += "<text x=\"24\" y=\"\(y)\">\(String(line).escapedForXML)</text>\n"
        y += 18
      }
    }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(Self.width)" height="\(y)" viewBox="0 0 \(Self.width) \(y)">
      <style>text{font-family:system-ui,sans-serif;font-size:13px;fill:#51606f}.t{font-size:17px;font-weight:600;\
      fill:#1b2733}.b{font-weight:600;fill:#1b2733}</style>
      <rect width="100%" height="100%" fill="#ffffff"/>
      <text x="24" y="32" class="t">\(title.escapedForXML)</text>
      \(body)</svg>

      """
  }

  private func bar(_ name: String, _ value: Double, scale: Double, y: Int) -> String {
    let isCut = value > scale
    let length = Figure.fixed(min(value, scale) / scale * Self.barWidth, decimals: 1)
    let end = Figure.fixed(Double(Self.labelWidth + 24) + min(value, scale) / scale * Self.barWidth + 6, decimals: 1)
    let isHighlighted = name == highlighted
    let (colour, emphasis) = (isHighlighted ? "#1f6fb4" : "#b9c5cf", isHighlighted ? " class=\"b\"" : "")
    return """
      <text x="\(Self.labelWidth + 16)" y="\(y + 14)" text-anchor="end"\(emphasis)>\(name.escapedForXML)</text>
      <rect x="\(Self.labelWidth + 24)" y="\(y + 3)" width="\(length)" height="14" fill="\(colour)"/>
      <text x="\(end)" y="\(y + 14)"\(emphasis)>\(isCut ? "→ " : "")\(Figure.ratio(value))</text>

      """
  }
}
