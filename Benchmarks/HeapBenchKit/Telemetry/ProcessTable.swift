public import struct Foundation.Data

/// The processes of a host as a table, the largest first.
public struct ProcessTable: Sendable {
  /// What the rows are sorted by.
  public enum Order: String, CaseIterable, Sendable {
    case live
    case resident
    case retained
    case fragmented
    case threads
    case rss
    case purged
    case pid
    case name

    /// The key that selects the order in a terminal.
    public var key: Character {
      switch self {
      case .live: "l"
      case .resident: "r"
      case .retained: "t"
      case .fragmented: "f"
      case .threads: "h"
      case .rss: "s"
      case .purged: "u"
      case .pid: "p"
      case .name: "n"
      }
    }
  }

  private let readings: [ProcessReading]
  private let refusedCount: Int
  private let order: Order

  /// The processes that can be read now.
  public init(order: Order) {
    let (readings, refusedCount) = ProcessReading.all()
    self.init(readings, refusedCount: refusedCount, order: order)
  }

  init(_ readings: [ProcessReading], refusedCount: Int, order: Order) {
    self.readings = readings.sorted { Self.precedes($0, $1, order) }
    self.refusedCount = refusedCount
    self.order = order
  }

  private static func precedes(_ one: ProcessReading, _ other: ProcessReading, _ order: Order) -> Bool {
    switch order {
    case .pid: return one.host.process < other.host.process
    case .name: return (one.host.name, one.host.process) < (other.host.name, other.host.process)
    default:
      let (a, b) = (value(one, order), value(other, order))
      return a == b ? one.host.process < other.host.process : a > b
    }
  }

  private static func value(_ reading: ProcessReading, _ order: Order) -> UInt64 {
    switch order {
    case .live: reading.heap.liveByteCount
    case .resident: reading.heap.residentByteCount
    case .retained: reading.heap.retainedByteCount
    case .fragmented: reading.heap.fragmentedByteCount
    case .threads: reading.heap.threadByteCount
    case .rss: reading.host.residentByteCount
    case .purged: reading.heap.purgedByteCount
    case .pid, .name: 0
    }
  }

  private static let columns: [Order] = [.live, .resident, .retained, .fragmented, .threads, .rss, .purged]

  /// The table. Each line ends with a newline.
  /// - Parameter rowCount: The most processes.
  public func text(style: TerminalStyle, rowCount: Int = .max) -> String {
    let nameWidth = max(8, style.columnCount - 8 - Self.columns.count * 11)
    let shownColumns = nameWidth > 8 ? Self.columns[...] : Self.columns.prefix(max(1, (style.columnCount - 24) / 11))
    let headings = shownColumns.map { ($0 == order ? "▾" : "") + $0.rawValue }
    let start = "pid".leftPadded(to: 7) + " " + "name".rightPadded(to: min(nameWidth, 16))
    let head = start + headings.map { $0.leftPadded(to: 11) }.joined()
    var text = style.text(head, .strong) + "\n"
    for reading in readings.prefix(rowCount) {
      let name = reading.host.name.withoutControls.shortened(to: min(nameWidth, 16))
      text += "\(reading.host.process)".leftPadded(to: 7) + " " + name.rightPadded(to: min(nameWidth, 16))
      for column in shownColumns {
        let isUnknown = reading.heap.source == .page && [.resident, .retained, .fragmented].contains(column)
        text += (isUnknown ? "–" : "\(ByteCount(Self.value(reading, column)))").leftPadded(to: 11)
      }
      text += (reading.heap.isSteady ? "" : "~") + "\n"
    }
    return text + style.text(summary, .faint) + "\n"
  }

  private var summary: String {
    let live = readings.reduce(0) { $0 + $1.heap.liveByteCount }
    let count = readings.count == 1 ? "1 process" : "\(Figure.count(readings.count)) processes"
    let text = "\(count), live \(ByteCount(live))"
    return refusedCount == 0 ? text : text + "; \(refusedCount) more may not be read"
  }

  /// All figures of all processes as JSON.
  public func json() throws -> Data { try readings.map { ReadingDocument($0) }.json() }
}
