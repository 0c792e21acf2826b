import CLabBench

/// Readings as OpenMetrics 1.0 text, or in Prometheus' older format, which node_exporter's textfile collector reads.
public struct OpenMetricsText {
  /// The formats of the text.
  public enum Format: Sendable {
    case openMetrics
    case prometheus

    /// The value of an answer's Content-Type.
    public var contentType: String {
      switch self {
      case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
      case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
      }
    }
  }

  /// The text, which ends with a newline.
  public let text: String

  /// The text for all processes of this host, read now.
  /// - Parameter hasClasses: Whether each size class has series of its own: a hundred more for a process.
  public init(hasClasses: Bool = false, format: Format = .openMetrics) {
    let start = lab_clock_nanoseconds()
    let (readings, refusedCount) = ProcessReading.all()
    let seconds = Double(lab_clock_nanoseconds() - start) / 1e9
    self.init(readings, refusedCount: refusedCount, seconds: seconds, hasClasses: hasClasses, format: format)
  }

  init(_ readings: [ProcessReading], refusedCount: Int, seconds: Double, hasClasses: Bool, format: Format) {
    var text = ""
    let labelled = readings.map { (reading: $0, labels: Self.labels($0.host)) }
    for figure in HeapFigure.all {
      let suffix = figure.kind == .counter ? "_total" : ""
      text += Self.head(figure.family, figure.kind, figure.help, unit: figure.unit, format)
      for (reading, labels) in labelled {
        if let value = figure.value(of: reading) { text += "\(figure.family)\(suffix){\(labels)} \(value)\n" }
      }
    }
    if hasClasses {
      for (family, help, value) in Self.classFamilies {
        text += Self.head(family, .gauge, help, unit: "bytes", format)
        for (reading, labels) in labelled {
          for sizeClass in reading.heap.classes {
            text += "\(family){\(labels),block_bytes=\"\(sizeClass.blockByteCount)\"} \(value(sizeClass))\n"
          }
        }
      }
    }
    text += Self.head(
      "heaplab_refused_processes", .gauge, "Processes that the exporter may not look at.", unit: nil, format)
    text += "heaplab_refused_processes \(refusedCount)\n"
    text += Self.head(
      "heaplab_reading_seconds", .gauge, "How long the reading of all processes took.", unit: "seconds", format)
    text += "heaplab_reading_seconds \(seconds)\n"
    if format == .openMetrics { text += "# EOF\n" }
    self.text = text
  }

  private static let classFamilies: [(String, String, @Sendable (HeapReading.SizeClass) -> UInt64)] = [
    ("heaplab_class_live_bytes", "Bytes of the blocks of a size class in use.", { $0.liveByteCount }),
    ("heaplab_class_resident_bytes", "Resident bytes of the spans of a size class.", { $0.residentByteCount }),
  ]

  private static func head(
    _ family: String, _ kind: HeapFigure.Kind, _ help: String, unit: String?, _ format: Format
  ) -> String {
    let name = format == .prometheus && kind == .counter ? family + "_total" : family
    let unit = format == .openMetrics ? unit.map { "# UNIT \(name) \($0)\n" } ?? "" : ""
    return "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n\(unit)"
  }

  /// The labels of a process. The start tells processes apart that had one number after each other; the name follows
  /// exec, as the kernel's does.
  private static func labels(_ host: HostProcess) -> String {
    "pid=\"\(host.process)\",start=\"\(host.startTicks)\",name=\"\(escaped(host.name))\""
  }

  /// A label's value: backslash, quote and newline are escaped.
  static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": escaped += "\\\\"
      case "\"": escaped += "\\\""
      case "\n": escaped += "\\n"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
