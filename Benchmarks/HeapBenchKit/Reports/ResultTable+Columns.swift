extension ResultTable {
  /// A column of figures.
  struct Column: Sendable {
    /// Adjacent columns under one heading.
    enum Group: String, Sendable {
      case throughput
      case latency = "latency of one call"
      case memory
    }

    let group: Group
    /// The heading on a wide terminal.
    let heading: String
    /// The heading on a narrow terminal.
    let shortHeading: String
    /// The column's text in the legend; nil where the heading is enough.
    var meaning: String?
    /// The text of a result's figure; nil when the result has none.
    let cell: @Sendable (PolicyResult, WorkloadReport) -> String?
    /// The figure of a column of ratios, whose geometric mean over the workloads stands beneath; nil for other columns.
    var ratio: (@Sendable (PolicyResult, WorkloadReport) -> Double?)?

    /// A column of ratios.
    fileprivate static func ratio(
      _ group: Group, _ heading: String, _ shortHeading: String, meaning: String? = nil,
      _ ratio: @escaping @Sendable (PolicyResult, WorkloadReport) -> Double?
    ) -> Column {
      Column(
        group: group, heading: heading, shortHeading: shortHeading, meaning: meaning,
        cell: { ratio($0, $1).map { Figure.ratio($0) } }, ratio: ratio)
    }

    /// A column of latencies, with one heading for every width.
    fileprivate static func latency(
      _ heading: String, _ nanoseconds: @escaping @Sendable (LatencyFigures) -> UInt64
    ) -> Column {
      Column(
        group: .latency, heading: heading, shortHeading: heading,
        cell: { result, _ in result.latency.map { $0.text(nanoseconds($0)) } })
    }
  }

  /// The columns in their order; those of a group are adjacent.
  static let columns: [Column] = [
    Column(
      group: .throughput, heading: "Mcall/s", shortHeading: "Mc/s",
      meaning: "million calls a second, blocks touched as a program would.",
      cell: { result, _ in result.operationsPerSecond.map { Figure.text($0 / 1e6, significantDigits: 3) } }),
    .ratio(.throughput, "×system", "×sys") { $0.throughputRatio(in: $1) },
    .latency("p50") { $0.p50Nanoseconds },
    .latency("p99") { $0.p99Nanoseconds },
    .latency("p99.9") { $0.p999Nanoseconds },
    .latency("p99.99") { $0.p9999Nanoseconds },
    .latency("max") { $0.maxNanoseconds },
    .ratio(.memory, "peak÷live", "peak", meaning: "peak resident ÷ peak live bytes.") { $0.peakMemoryRatio($1.facts) },
    .ratio(.memory, "waste", "waste", meaning: "bytes granted ÷ asked for.") { result, _ in result.internalWaste },
    Column(
      group: .memory, heading: "ext.frag", shortHeading: "frag",
      meaning: "share of the heap in holes too short for the 99th-percentile request, at the worst moment.",
      cell: { result, _ in result.layout.map { Figure.percent($0.worstSample.externalFragmentation) } }),
    .ratio(
      .memory, "blow-up", "blow",
      meaning: "peak heap ÷ the peak of a heap that compacts at no cost (system: peak resident)."
    ) { $0.blowUpOverOracle($1.facts) },
  ]
}

extension LatencyFigures {
  /// A figure as text. A time that the clock cannot tell from 0 is shown as less than its resolution.
  fileprivate func text(_ nanoseconds: UInt64) -> String {
    nanoseconds > 0
      ? Figure.duration(nanoseconds: nanoseconds) : "<\(Int(max(1, clockResolutionNanoseconds.rounded(.up))))ns"
  }
}
