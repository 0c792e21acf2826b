/// The output of `heapbench explain`: a workload in words and figures.
public struct WorkloadExplanation: Sendable {
  let workload: Workload
  let path: String

  /// The explanation of a workload from the file at `path`.
  public init(_ workload: Workload, path: String) {
    self.workload = workload
    self.path = path
  }

  /// The text. Each line ends with a newline.
  public func text(style: TerminalStyle) -> String {
    let statistics = WorkloadStatistics(of: workload)
    var text = style.text(workload.name, .title) + "\n" + style.paragraph(workload.summary) + "\n\n"
    for (label, value) in facts(statistics) {
      // A path is not wrapped: it could not be copied.
      let isWide = value.count + 24 > style.columnCount && label != "file"
      let indent = String(repeating: " ", count: 24)
      text += "  " + label.rightPadded(to: 22)
      text += (isWide ? String(value.wrapped(to: style.columnCount, indent: indent).dropFirst(24)) : value) + "\n"
    }
    text += "\n" + style.text("sizes asked for", .strong) + "\n" + histogram(statistics.sizes, style: style, unit: true)
    if statistics.lifetimes.count > 0 {
      text += "\n" + style.text("lifetimes", .strong) + ", in allocations\n"
      text += histogram(statistics.lifetimes, style: style, unit: false)
    }
    return text
  }

  private func facts(_ statistics: WorkloadStatistics) -> [(String, String)] {
    func share(_ count: Int, of total: Int) -> String {
      "\(Figure.count(count)) (\(Figure.percent(total == 0 ? 0 : Double(count) / Double(total))))"
    }
    let threads = "\(workload.threadCount) (\(statistics.activeThreadCount) take steps)"
    return [
      ("file", path),
      ("threads", threads),
      ("allocations", Figure.count(statistics.allocationCount)),
      ("  of zeroed memory", share(statistics.zeroedCount, of: statistics.allocationCount)),
      ("  with an alignment", share(statistics.alignedCount, of: statistics.allocationCount)),
      ("reallocations", Figure.count(statistics.reallocationCount)),
      ("deallocations", Figure.count(statistics.deallocationCount)),
      ("  by another thread", share(statistics.remoteDeallocationCount, of: statistics.deallocationCount)),
      ("bytes asked for", "\(ByteCount(statistics.requestedByteCount))"),
      (
        "peak live",
        "\(ByteCount(statistics.peakLiveByteCount)) in \(Figure.count(statistics.peakLiveObjectCount)) objects"
      ),
      (
        "live at the end",
        "\(ByteCount(statistics.endLiveByteCount)) in \(Figure.count(statistics.endLiveObjectCount)) objects"
      ),
    ]
  }

  /// Bars on one scale, with a line for each power of two.
  private func histogram(_ histogram: PowerHistogram, style: TerminalStyle, unit: Bool) -> String {
    let bins = histogram.bins
    let longest = Double(bins.map(\.count).max() ?? 1)
    let room = min(60, style.columnCount - 22 - 10)
    return bins.map { bin in
      let bound = bin.numbers.upperBound
      let (limit, overflow) = bound.addingReportingOverflow(1)
      let label = "< " + (unit ? "\(ByteCount(overflow ? bound : limit))" : Figure.count(Int(clamping: limit)))
      let share = Figure.percent(Double(bin.count) / Double(histogram.count))
      let bar = String(repeating: "▇", count: Int((Double(bin.count) / longest * Double(room)).rounded(.up)))
      return label.leftPadded(to: 20) + "  " + style.text(bar, .good) + " " + share + "\n"
    }.joined()
  }
}

extension TerminalStyle {
  /// A name, and a summary that is wrapped beside it, or below it where there is little room.
  func entry(_ name: String, _ summary: String, nameWidth: Int) -> String {
    guard nameWidth <= columnCount / 3 else {
      return "  " + text(name, .strong) + "\n" + summary.wrapped(to: columnCount, indent: "    ")
    }
    let indent = String(repeating: " ", count: nameWidth)
    let lines = summary.wrapped(to: columnCount, indent: indent)
    return "  " + text(name, .strong) + String(repeating: " ", count: max(1, nameWidth - 2 - name.count))
      + lines.dropFirst(nameWidth)
  }

  /// Text wrapped to the terminal's width.
  public func paragraph(_ text: String) -> String { text.wrapped(to: columnCount) }
}
