public import struct Foundation.Data

/// The heap of one process as a table, a picture and JSON.
public struct HeapReport: Sendable {
  private let reading: ProcessReading
  private let sight: HeapSight?

  /// The report on a process, read now.
  public init(_ process: Int32) throws(TelemetryError) { (reading, sight) = try ProcessReading.read(process) }

  /// The figures, the size classes and the layout, for a terminal.
  public func text(style: TerminalStyle) -> String {
    let host = reading.host
    var text = style.text(host.name.withoutControls, .title) + "  process \(host.process)\(remark)\n\n"
    let rows = HeapFigure.all.compactMap { figure in
      figure.value(of: reading).map { value in
        (figure.name, figure.isBytes ? "\(ByteCount(value))" : Figure.count(Int(clamping: value)), figure.help)
      }
    }
    let widths = (rows.map(\.0.count).max() ?? 0, rows.map(\.1.count).max() ?? 0)
    for (name, value, help) in rows {
      let room = style.columnCount - widths.0 - widths.1 - 4
      let line = name.rightPadded(to: widths.0) + "  " + value.leftPadded(to: widths.1)
      text += room < 16 ? line + "\n" : line + "  " + style.text(help.shortened(to: room), .faint) + "\n"
    }
    text += classTable(style)
    if let picture = sight?.picture, !picture.cells.isEmpty {
      text += "\n" + style.text("Granules in use, in address order", .strong) + "\n" + picture.text(style: style)
    }
    return text
  }

  private var remark: String {
    switch (reading.heap.source, reading.heap.isSteady) {
    case (.page, _):
      ", from its page in /dev/shm, \(Figure.duration(nanoseconds: reading.heap.ageMilliseconds * 1_000_000)) old"
    case (.memory, false): "; it moved during the reading: the figures do not belong to one moment"
    case (.memory, true): ""
    }
  }

  private func classTable(_ style: TerminalStyle) -> String {
    guard !reading.heap.classes.isEmpty else { return "" }
    let headings = ["block", "spans", "live blocks", "live", "resident", "used"]
    let widths = [9, 8, 13, 10, 10, 6]
    var text = "\n" + style.text(Self.row(headings, widths), .strong) + "\n"
    for sizeClass in reading.heap.classes {
      let share = Double(sizeClass.liveByteCount) / Double(max(1, sizeClass.residentByteCount))
      let cells = [
        "\(sizeClass.blockByteCount)", Figure.count(Int(clamping: sizeClass.spanCount)),
        Figure.count(Int(clamping: sizeClass.liveCount)),
        "\(ByteCount(sizeClass.liveByteCount))", "\(ByteCount(sizeClass.residentByteCount))",
        Figure.percent(min(1, share)),
      ]
      text += Self.row(cells, widths) + "\n"
    }
    return text
  }

  private static func row(_ cells: [String], _ widths: [Int]) -> String {
    zip(cells, widths).map { $0.leftPadded(to: $1) }.joined()
  }

  /// All figures as JSON.
  public func json() throws -> Data { try ReadingDocument(reading).json() }

  /// The layout as an SVG file; nil for a page, which shows none.
  public var svg: String? {
    sight.flatMap { sight in
      HeapPictureSheet(
        title: "\(reading.host.name), process \(reading.host.process)",
        summary: "Each cell is one granule of 64 KiB or more, in address order.", picture: sight.picture,
        note: "live \(ByteCount(reading.heap.liveByteCount)), resident \(ByteCount(reading.heap.residentByteCount))"
      ).svg
    }
  }
}

/// A reading as JSON: its figures by name, and its size classes.
struct ReadingDocument: Encodable {
  struct SizeClass: Encodable {
    let blockBytes, spans, liveBlocks, liveBytes, residentBytes: UInt64
  }
  let pid: Int32
  let name: String
  let startTicks: UInt64
  let source: HeapReading.Source
  let steady: Bool
  let figures: [String: UInt64]
  let classes: [SizeClass]

  init(_ reading: ProcessReading) {
    (pid, name, startTicks) = (reading.host.process, reading.host.name, reading.host.startTicks)
    (source, steady) = (reading.heap.source, reading.heap.isSteady)
    figures = Dictionary(
      uniqueKeysWithValues: HeapFigure.all.compactMap { figure in
        figure.value(of: reading).map { (figure.name, $0) }
      })
    classes = reading.heap.classes.map {
      SizeClass(
        blockBytes: $0.blockByteCount, spans: $0.spanCount, liveBlocks: $0.liveCount, liveBytes: $0.liveByteCount,
        residentBytes: $0.residentByteCount)
    }
  }
}
