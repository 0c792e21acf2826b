public import struct Foundation.Data

extension HeapProfile {
  /// The functions of a stack that a row shows.
  private static let shownFunctionCount = 4

  /// The sites with the most, in that order.
  func sites(by order: Order, countMax: Int) -> [Site] {
    func key(_ site: Site) -> Double {
      switch order {
      case .live: site.liveBytes.value
      case .objects: site.liveObjects.value
      case .rate: site.allocatedBytesPerSecond.value
      case .pinned: site.pinnedFreeBytes.value
      }
    }
    return Array(sites.sorted { (key($0), $1.functions.joined()) > (key($1), $0.functions.joined()) }.prefix(countMax))
  }

  /// The sites as a table.
  public func text(by order: Order, countMax: Int, style: TerminalStyle) -> String {
    let headings = ["live", "objects", "allocated/s", "pins free"]
    let width = 24
    var text = style.text(headings.map { $0.leftPadded(to: width) }.joined(), .strong) + "\n"
    func row(_ site: Site) -> String {
      [
        Self.cell(site.liveBytes) { "\(ByteCount(UInt64(max(0, $0))))" },
        Self.cell(site.liveObjects) { Figure.count(Int($0.rounded())) },
        Self.cell(site.allocatedBytesPerSecond) { "\(ByteCount(UInt64(max(0, $0))))" },
        Self.cell(site.pinnedFreeBytes) { "\(ByteCount(UInt64(max(0, $0))))" },
      ].map { $0.leftPadded(to: width) }.joined()
    }
    for site in sites(by: order, countMax: countMax) {
      let shown = site.functions.prefix(Self.shownFunctionCount).joined(separator: " ← ")
      let rest = site.functions.count > Self.shownFunctionCount ? " ← …" : ""
      let place = site.functions.isEmpty ? "no call stack" : (shown + rest).withoutControls
      text += row(site) + "\n" + "    " + place.shortened(to: max(16, style.columnCount - 4)) + "\n"
    }
    text += style.text(row(total), .strong) + "\n"
    let dropped = samples.droppedCount == 0 ? "" : "; \(Figure.count(Int(samples.droppedCount))) samples found no room"
    let summary =
      "all of \(Figure.count(sites.count, "call stack")), from \(Figure.count(total.sampleCount, "live sample")), one in "
      + "\(ByteCount(meanByteCount)) on average\(dropped)"
    return text + style.text(summary, .faint) + "\n"
  }

  /// A value and its margin to the further side.
  private static func cell(_ estimate: Estimate, _ text: (Double) -> String) -> String {
    let margin = max(estimate.high - estimate.value, estimate.value - estimate.low)
    return "\(text(estimate.value)) ± \(text(margin))"
  }

  private struct Report: Encodable {
    let process: Int32
    let sampleMeanBytes, samplesTaken, samplesEnded, samplesDropped: UInt64
    let rateWindowSeconds: Double
    let total: Site
    let sites: [Site]
  }

  /// All sites as JSON.
  public func json(by order: Order) throws -> Data {
    try Report(
      process: process, sampleMeanBytes: meanByteCount, samplesTaken: samples.takenCount,
      samplesEnded: samples.endedCount, samplesDropped: samples.droppedCount,
      rateWindowSeconds: Double(samples.windowMilliseconds) / 1000, total: total,
      sites: sites(by: order, countMax: sites.count)
    ).json()
  }

  /// The profile in the text that google-pprof and jeprof read: what gperftools writes as "heap_v2". Counts are those of
  /// samples; the reader of the file divides them by 1 - exp(-size / mean). So each line has blocks of one size.
  public var pprof: String {
    struct Key: Hashable {
      let stack: [UInt64]
      let byteCount: UInt64
    }
    struct Counts {
      var live: UInt64 = 0
      var all: UInt64 = 0
    }
    var counts: [Key: Counts] = [:]
    for (sample, stack) in zip(samples.samples, stacks) {
      let key = Key(stack: stack, byteCount: sample.byteCount)
      counts[key, default: Counts()].all += 1
      if sample.isLive { counts[key, default: Counts()].live += 1 }
    }
    func line(_ counts: [(UInt64, Counts)]) -> String {
      let live = counts.reduce(0) { $0 + $1.1.live }
      let all = counts.reduce(0) { $0 + $1.1.all }
      let liveBytes = counts.reduce(0) { $0 &+ $1.0 &* $1.1.live }
      let allBytes = counts.reduce(0) { $0 &+ $1.0 &* $1.1.all }
      return "\(live): \(liveBytes) [\(all): \(allBytes)] @"
    }
    var text = "heap profile: " + line(counts.map { ($0.key.byteCount, $0.value) }) + " heap_v2/\(meanByteCount)\n"
    for (key, value) in counts.sorted(by: { ($0.value.live, $0.key.byteCount) > ($1.value.live, $1.key.byteCount) }) {
      text += line([(key.byteCount, value)])
      for address in key.stack { text += " 0x" + String(address, radix: 16) }
      text += "\n"
    }
    return text + "\nMAPPED_LIBRARIES:\n" + maps
  }
}
