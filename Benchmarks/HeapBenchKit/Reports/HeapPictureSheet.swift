import Foundation

/// Pictures of several heaps, one below another, as one self-contained SVG file.
public struct HeapPictureSheet: Sendable {
  /// A heap's picture with the text above it.
  public struct Panel: Sendable {
    let title: String
    let note: String
    let picture: HeapPicture

    /// A panel with a title and a note above the picture.
    public init(title: String, note: String, picture: HeapPicture) {
      self.title = title
      self.note = note
      self.picture = picture
    }
  }

  private let title: String
  private let summary: String
  private let panels: [Panel]

  /// A sheet of these panels.
  public init(title: String, summary: String, panels: [Panel]) {
    self.title = title
    self.summary = summary
    self.panels = panels
  }

  /// The sheet of a workload: every heap of its results at its worst moment; nil when no result shows a heap.
  public init?(_ workload: WorkloadReport) {
    let panels = workload.results.compactMap { result -> Panel? in
      guard let layout = result.layout else { return nil }
      let sample = layout.worstSample
      return Panel(
        title: "\(result.policy) at its worst moment, after step \(Figure.count(sample.stepCount))",
        note: Self.note(on: layout), picture: layout.worstPicture)
    }
    guard !panels.isEmpty else { return nil }
    self.init(title: workload.name, summary: workload.summary, panels: panels)
  }

  /// The figures of a heap at its worst moment, in one line.
  public static func note(on layout: LayoutReport) -> String {
    let sample = layout.worstSample
    return "heap \(ByteCount(sample.extentByteCount)), live \(ByteCount(sample.liveByteCount)), "
      + "\(holes(sample)); \(Figure.percent(sample.externalFragmentation)) of the heap in holes "
      + "too short for \(ByteCount(layout.referenceRequestByteCount))"
  }

  private static func holes(_ sample: LayoutSample) -> String {
    let bytes = ByteCount(sample.freeByteCount)
    switch sample.holeCount {
    case 0: return "no hole"
    case 1: return "1 hole of \(bytes)"
    case let count:
      return
        "\(Figure.count(Int(count))) holes of \(bytes) in all, the largest \(ByteCount(sample.largestFreeByteCount))"
    }
  }

  private static let columnCount = 256
  private static let cellWidth = 4
  private static let cellHeight = 6
  private static let labelWidth = 84

  /// The file's content.
  public var svg: String {
    let width = Self.labelWidth + Self.columnCount * Self.cellWidth + 24
    var body = ""
    var y = 60
    for panel in panels {
      body += "<text x=\"24\" y=\"\(y + 16)\" class=\"b\">\(panel.title.escapedForXML)</text>\n"
      body += "<text x=\"24\" y=\"\(y + 34)\" class=\"n\">\(panel.note.escapedForXML)</text>\n"
      y += 46
      body += cells(of: panel.picture, y: y)
      y += rowCount(of: panel.picture) * Self.cellHeight + 24
    }
    body += legend(y: y)
    let style =
      "text{font-family:system-ui,sans-serif;fill:#1b2733}.t{font-size:17px;font-weight:600}"
      + ".b{font-size:14px;font-weight:600}.n{font-size:12px;fill:#51606f}.o{font-size:10px;fill:#7a8794}"
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(y + 40)" viewBox="0 0 \(width) \(y + 40)">
      <style>\(style)</style>
      <rect width="100%" height="100%" fill="#ffffff"/>
      <text x="24" y="30" class="t">\(title.escapedForXML)</text>
      <text x="24" y="48" class="n">\(summary.shortened(to: 180).escapedForXML)</text>
      \(body)</svg>

      """
  }

  private func rowCount(of picture: HeapPicture) -> Int {
    (picture.cells.count + Self.columnCount - 1) / Self.columnCount
  }

  /// The rows of a picture: one path for each shade, in which neighbouring cells of that shade are one piece.
  private func cells(of picture: HeapPicture, y top: Int) -> String {
    let bytes = [UInt8](picture.cells)
    var paths = [String](repeating: "", count: Self.colours.count)
    var labels = ""
    for row in 0..<rowCount(of: picture) {
      let start = row * Self.columnCount
      let end = min(start + Self.columnCount, bytes.count)
      let y = top + row * Self.cellHeight
      if row % 8 == 0 {
        let offset = ByteCount(UInt64(start) * picture.cellByteCount)
        labels += "<text x=\"\(Self.labelWidth - 6)\" y=\"\(y + 8)\" class=\"o\" text-anchor=\"end\">\(offset)</text>\n"
      }
      var first = start
      while first < end {
        let shade = Self.shade(bytes[first])
        var next = first + 1
        while next < end && Self.shade(bytes[next]) == shade { next += 1 }
        let x = Self.labelWidth + (first - start) * Self.cellWidth
        let width = (next - first) * Self.cellWidth
        paths[shade] += "M\(x) \(y)h\(width)v\(Self.cellHeight - 1)h-\(width)z"
        first = next
      }
    }
    let shapes = zip(Self.colours, paths).filter { !$1.isEmpty }.map { "<path fill=\"\($0)\" d=\"\($1)\"/>\n" }
    return labels + "<g shape-rendering=\"crispEdges\">\n" + shapes.joined() + "</g>\n"
  }

  private func legend(y: Int) -> String {
    var text = "<text x=\"\(Self.labelWidth)\" y=\"\(y + 12)\" class=\"n\">free</text>\n"
    for (index, colour) in Self.colours.enumerated() {
      text +=
        "<rect x=\"\(Self.labelWidth + 32 + index * 22)\" y=\"\(y + 2)\" width=\"20\" height=\"12\" fill=\"\(colour)\"/>\n"
    }
    let end = Self.labelWidth + 32 + Self.colours.count * 22 + 6
    text +=
      "<text x=\"\(end)\" y=\"\(y + 12)\" class=\"n\">in use; addresses rise from left to right, then down</text>\n"
    return text
  }

  /// The index of a cell's colour. The first colour is for cells that are all free, the last for cells all in use.
  private static func shade(_ used: UInt8) -> Int {
    used == 0 ? 0 : used == 255 ? colours.count - 1 : 1 + Int(used) * (colours.count - 2) / 256
  }

  private static let colours = [
    "#f4e9da", "#d9e3ea", "#bdd3e2", "#9cc0d9", "#79a9cc", "#578fba", "#3a74a3", "#1f4e79",
  ]
}

extension String {
  /// The text as XML character data.
  var escapedForXML: String {
    replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
  }
}
