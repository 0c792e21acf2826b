import Foundation

/// Pictures of several heaps at one moment and in one scale, one below another, as one self-contained SVG file.
public struct HeapPictureSheet: Sendable {
  /// A heap's picture with the text above it.
  struct Panel: Sendable {
    let title: String
    let note: String
    let picture: HeapPicture
  }

  private let title: String
  private let summary: String
  private let panels: [Panel]
  /// The bytes in a cell of every panel: the largest heap fills its cells.
  private let cellByteCount: UInt64

  /// The sheet of a workload: every heap of its results at the moment they share; nil when no result shows a heap.
  public init?(_ workload: WorkloadReport) {
    var stepCount = 0
    panels = workload.results.compactMap { result -> Panel? in
      guard let layout = result.layout, let index = layout.sharedSampleIndex, let picture = layout.sharedPicture else {
        return nil
      }
      stepCount = layout.samples[index].stepCount
      return Panel(title: result.policy, note: Self.note(on: layout, at: layout.samples[index]), picture: picture)
    }
    guard let extent = panels.map(\.picture.extentByteCount).max() else { return nil }
    title = "\(workload.name), after step \(Figure.count(stepCount)) of \(Figure.count(workload.facts.stepCount))"
    summary = workload.summary
    cellByteCount = max(1, (extent + UInt64(Self.cellCount) - 1) / UInt64(Self.cellCount))
  }

  /// The sheet of one heap, with a line above its picture.
  init(title: String, summary: String, picture: HeapPicture, note: String) {
    (self.title, self.summary) = (title, summary)
    panels = [Panel(title: "the heap", note: note, picture: picture)]
    let most = UInt64(Self.cellCount)
    cellByteCount = max(1, picture.cellByteCount, (picture.extentByteCount + most - 1) / most)
  }

  /// The figures of a heap at its worst moment, in one line.
  public static func note(on layout: LayoutReport) -> String { note(on: layout, at: layout.worstSample) }

  private static func note(on layout: LayoutReport, at sample: LayoutSample) -> String {
    "heap \(ByteCount(sample.extentByteCount)), live \(ByteCount(sample.liveByteCount)), \(holes(sample)); "
      + "\(Figure.percent(sample.externalFragmentation)) of the heap in holes too short for "
      + "\(ByteCount(layout.referenceRequestByteCount))"
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
  private static let cellCount = 16384
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
      let cells = panel.picture.shares(inCellsOf: cellByteCount).map(Self.colour)
      body += rows(of: cells, y: y)
      y += Self.rowCount(cells.count) * Self.cellHeight + 24
    }
    body += legend(y: y)
    let style =
      "text{font-family:system-ui,sans-serif;fill:#1b2733}.t{font-size:17px;font-weight:600}"
      + ".b{font-size:14px;font-weight:600}.n{font-size:12px;fill:#51606f}.o{font-size:10px;fill:#7a8794}"
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(y + 50)" viewBox="0 0 \(width) \(y + 50)">
      <style>\(style)</style>
      <rect width="100%" height="100%" fill="#ffffff"/>
      <text x="24" y="30" class="t">\(title.escapedForXML)</text>
      <text x="24" y="48" class="n">\(summary.shortened(to: 180).escapedForXML)</text>
      \(body)</svg>

      """
  }

  private static func rowCount(_ cellCount: Int) -> Int { (cellCount + columnCount - 1) / columnCount }

  /// The rows of a picture: one path for each colour, in which neighbouring cells of that colour are one piece.
  private func rows(of cells: [Int], y top: Int) -> String {
    var paths = [String](repeating: "", count: Self.colours.count)
    var labels = ""
    for row in 0..<Self.rowCount(cells.count) {
      let start = row * Self.columnCount
      let end = min(start + Self.columnCount, cells.count)
      let y = top + row * Self.cellHeight
      if row % 8 == 0 {
        let offset = ByteCount(UInt64(start) * cellByteCount)
        labels += "<text x=\"\(Self.labelWidth - 6)\" y=\"\(y + 8)\" class=\"o\" text-anchor=\"end\">\(offset)</text>\n"
      }
      var first = start
      while first < end {
        let colour = cells[first]
        var next = first + 1
        while next < end && cells[next] == colour { next += 1 }
        let x = Self.labelWidth + (first - start) * Self.cellWidth
        let width = (next - first) * Self.cellWidth
        paths[colour] += "M\(x) \(y)h\(width)v\(Self.cellHeight - 1)h-\(width)z"
        first = next
      }
    }
    let shapes = zip(Self.colours, paths).filter { !$1.isEmpty }.map { "<path fill=\"\($0)\" d=\"\($1)\"/>\n" }
    return labels + "<g shape-rendering=\"crispEdges\">\n" + shapes.joined() + "</g>\n"
  }

  private func legend(y: Int) -> String {
    var text = ""
    var x = Self.labelWidth
    for (colours, meaning, width) in [
      ([Self.colours[0]], "free", 44), (Self.inUse, "asked for", 80),
      (Self.waste, "mostly waste: in use, not asked for", 236),
    ] {
      for colour in colours {
        text += "<rect x=\"\(x)\" y=\"\(y + 2)\" width=\"20\" height=\"12\" fill=\"\(colour)\"/>\n"
        x += 22
      }
      text += "<text x=\"\(x + 4)\" y=\"\(y + 12)\" class=\"n\">\(meaning)</text>\n"
      x += width
    }
    let scale = "each cell \(ByteCount(cellByteCount)); addresses rise from left to right, then down"
    return text + "<text x=\"\(Self.labelWidth)\" y=\"\(y + 32)\" class=\"n\">\(scale)</text>\n"
  }

  /// The index of a cell's colour: of a ramp by the share in use, and of the ramp for waste where waste is the larger part.
  private static func colour(_ cell: (used: Double, waste: Double)) -> Int {
    guard cell.used > 0 else { return 0 }
    let shade = min(inUse.count - 1, Int(cell.used * Double(inUse.count)))
    return 1 + shade + (cell.waste * 2 > cell.used ? inUse.count : 0)
  }

  private static let inUse = ["#d9e3ea", "#bdd3e2", "#9cc0d9", "#79a9cc", "#578fba", "#3a74a3", "#1f4e79"]
  private static let waste = ["#f3dfe2", "#eac6cc", "#dfa9b2", "#d28a97", "#c26a7b", "#ad4a5f", "#8f2d44"]
  private static let colours = ["#f4e9da"] + inUse + waste
}

extension String {
  /// The text as XML character data.
  var escapedForXML: String {
    replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
  }
}
