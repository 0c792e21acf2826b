/// The quantiles of the times of one function's calls, each without the time that reading the clock takes.
public struct CallLatency: Codable, Hashable, Sendable {
  /// How many calls were timed.
  public let calls: Int
  /// The time that half of the calls do not exceed.
  public let p50Picoseconds: Int
  /// The time that 99 % of the calls do not exceed.
  public let p99Picoseconds: Int
  /// The time that 99.9 % of the calls do not exceed.
  public let p999Picoseconds: Int
  /// The time that 99.99 % of the calls do not exceed.
  public let p9999Picoseconds: Int
  /// The time of the slowest call.
  public let maximumPicoseconds: Int

  /// The quantiles, by their names in tables and files.
  static let quantiles: [(name: String, picoseconds: @Sendable (CallLatency) -> Int)] = [
    ("p50", { $0.p50Picoseconds }), ("p99", { $0.p99Picoseconds }), ("p99.9", { $0.p999Picoseconds }),
    ("p99.99", { $0.p9999Picoseconds }), ("max", { $0.maximumPicoseconds }),
  ]
}

extension DriverFigures {
  /// The functions whose single calls are timed, by their names in tables and files.
  static let timedCalls: [(name: String, latency: @Sendable (DriverFigures) -> CallLatency?)] = [
    ("malloc", { $0.mallocLatency }), ("free", { $0.freeLatency }),
  ]
}
