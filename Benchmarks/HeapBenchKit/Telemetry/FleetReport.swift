public import struct Foundation.Data

/// Who holds memory that he does not use, and why, by what a Prometheus has collected from exporters.
///
/// A leak, retention and fragmentation look the same in a resident set:
///
///     leak            live bytes grow: the lowest of the window's last quarter is above the highest of its second one
///     retained        much of the resident memory is free, and a purge would return it
///     fragmented      much of it is free, and live blocks pin it
///
/// The rules in docs/telemetry/heaplab.rules.yml ask the same questions.
public struct FleetReport: Sendable {
  /// What a process's unused memory is.
  public enum Verdict: String, Sendable, Codable {
    case leak
    case retained
    case fragmented
    case none = "–"
  }

  /// A process of the fleet.
  struct Row: Sendable, Encodable {
    let instance, pid, start, name: String
    let liveBytes, residentBytes, retainedBytes, fragmentedBytes, growthBytesPerSecond: Double
    let verdict: Verdict

    var unusedBytes: Double { retainedBytes + fragmentedBytes }
  }

  let rows: [Row]

  /// The least that counts as unused or leaked, and its least share of the resident memory.
  static let leastByteCount = 32 << 20
  static let leastShare = 0.25

  /// What the server knows of a window, which ends now.
  /// - Parameter windowSeconds: At least 8.
  public init(from server: PrometheusClient, windowSeconds: Int) throws(PrometheusClient.Failure) {
    func values(_ expression: String) throws(PrometheusClient.Failure) -> [[String: String]: Double] {
      var values: [[String: String]: Double] = [:]
      for sample in try server.samples(expression) {
        values[sample.labels.filter { ["instance", "pid", "start", "name"].contains($0.key) }] = sample.value
      }
      return values
    }
    let quarter = "\(windowSeconds / 4)s"
    let live = try values("heaplab_live_bytes")
    let resident = try values("heaplab_resident_bytes")
    let retained = try values("heaplab_retained_bytes")
    let fragmented = try values("heaplab_fragmented_bytes")
    let growth = try values("deriv(heaplab_live_bytes[\(windowSeconds)s])")
    let leaks = try values(
      "min_over_time(heaplab_live_bytes[\(quarter)]) "
        + "- max_over_time(heaplab_live_bytes[\(quarter)] offset \(windowSeconds / 2)s) > \(Self.leastByteCount / 4)")
    rows = live.map { key, live in
      let resident = resident[key] ?? 0
      let (retained, fragmented) = (retained[key] ?? 0, fragmented[key] ?? 0)
      return Row(
        instance: key["instance"] ?? "", pid: key["pid"] ?? "", start: key["start"] ?? "", name: key["name"] ?? "",
        liveBytes: live, residentBytes: resident, retainedBytes: retained, fragmentedBytes: fragmented,
        growthBytesPerSecond: growth[key] ?? 0,
        verdict: Self.verdict(
          leaks: leaks[key] != nil, resident: resident, retained: retained, fragmented: fragmented))
    }.sorted { ($0.unusedBytes, $0.liveBytes, $0.pid) > ($1.unusedBytes, $1.liveBytes, $1.pid) }
  }

  static func verdict(leaks: Bool, resident: Double, retained: Double, fragmented: Double) -> Verdict {
    if leaks { return .leak }
    func isMuch(_ bytes: Double) -> Bool { bytes > Double(leastByteCount) && bytes > resident * leastShare }
    if isMuch(retained), retained >= fragmented { return .retained }
    return isMuch(fragmented) ? .fragmented : .none
  }

  /// The fleet as a table, the most unused memory first.
  public func text(style: TerminalStyle) -> String {
    let headings = ["live", "resident", "retained", "fragmented", "growth/s", "verdict"]
    let nameWidth = max(12, min(40, style.columnCount - headings.count * 12))
    var text =
      style.text(
        "process".rightPadded(to: nameWidth) + headings.map { $0.leftPadded(to: 12) }.joined(), .strong) + "\n"
    for row in rows {
      let name = "\(row.name) \(row.pid) \(row.instance)".withoutControls.shortened(to: nameWidth)
      let growth = row.growthBytesPerSecond
      var cells = [row.liveBytes, row.residentBytes, row.retainedBytes, row.fragmentedBytes].map(Self.bytes)
      cells.append((growth < 0 ? "-" : "") + Self.bytes(abs(growth)))
      let verdict = row.verdict.rawValue.leftPadded(to: 12)
      text += name.rightPadded(to: nameWidth) + cells.map { $0.leftPadded(to: 12) }.joined()
      text += (row.verdict == .none ? verdict : style.text(verdict, .bad)) + "\n"
    }
    let unused = rows.reduce(0) { $0 + $1.unusedBytes }
    let count = rows.count == 1 ? "1 process" : "\(Figure.count(rows.count)) processes"
    return text + style.text("\(count) hold \(Self.bytes(unused)) that they do not use", .faint) + "\n"
  }

  private static func bytes(_ value: Double) -> String { "\(ByteCount(UInt64(max(0, value))))" }

  /// All figures as JSON.
  public func json() throws -> Data { try rows.json() }
}
