extension CallSites {
  /// The functions of a stack that a line shows.
  private static let shownFunctionCount = 5

  /// The sites as lines, each with its innermost functions.
  var text: String {
    let unit = sampleByteCount == 0 ? "" : ", estimated from samples"
    var text = "live at the peak\(unit): \(ByteCount(peakLiveByteCount)) of \(Figure.count(siteCount, "call stack"))\n"
    for site in sites {
      let shown = site.functions.prefix(Self.shownFunctionCount).joined(separator: " ← ")
      let rest = site.functions.count > Self.shownFunctionCount ? " ← …" : ""
      let counts = [
        "\(ByteCount(site.liveByteCount))", Figure.count(Int(site.liveCount), "block"),
        Figure.count(Int(site.allocationCount), "allocation"),
      ]
      text += "  " + counts.joined(separator: " · ") + "\n"
      text += "    " + (site.functions.isEmpty ? "no call stack" : shown + rest) + "\n"
    }
    return text
  }
}
