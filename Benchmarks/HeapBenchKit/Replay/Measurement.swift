/// What one measuring process found out: the figures of its passes.
public struct Measurement: Hashable, Sendable, Codable {
  /// The deterministic layout.
  public var layout: LayoutReport?
  /// The throughput pass.
  public var throughput: ThroughputFigures?
  /// The latency pass.
  public var latency: LatencyFigures?
  /// The memory pass.
  public var memory: MemoryFigures?
  /// Requests that the policy had no memory for, in all passes.
  public var failureCount = 0
  /// Whether the heap's memory was pinned; nil for an allocator with memory of its own.
  public var isPinned: Bool?
  /// Why it was not, and what to do.
  public var pinRefusal: String?

  /// No figures yet.
  init() {}

  /// Adds the figures of another pass.
  mutating func merge(_ other: Measurement) {
    layout = layout ?? other.layout
    throughput = throughput ?? other.throughput
    latency = latency ?? other.latency
    memory = memory ?? other.memory
    failureCount += other.failureCount
    isPinned = isPinned ?? other.isPinned
    pinRefusal = pinRefusal ?? other.pinRefusal
  }
}

/// How fast all steps of a workload were taken.
public struct ThroughputFigures: Hashable, Sendable, Codable {
  /// Calls of the allocator.
  public let operationCount: Int
  /// From the moment all threads could start to the moment the last was done.
  public let elapsedNanoseconds: UInt64

  /// Calls for each second of that time.
  public var operationsPerSecond: Double {
    elapsedNanoseconds == 0 ? 0 : Double(operationCount) * 1e9 / Double(elapsedNanoseconds)
  }
}

/// How long single calls took, without the clock's own time.
public struct LatencyFigures: Hashable, Sendable, Codable {
  /// Half of the calls took no longer.
  public var p50Nanoseconds: UInt64
  /// 99 % of the calls took no longer.
  public var p99Nanoseconds: UInt64
  /// 99.9 % of the calls took no longer.
  public var p999Nanoseconds: UInt64
  /// 99.99 % of the calls took no longer.
  public var p9999Nanoseconds: UInt64
  /// The longest call.
  public var maxNanoseconds: UInt64
  /// What reading the clock takes, which was subtracted from every call.
  public var clockOverheadNanoseconds: Double
  /// The smallest time that the clock can tell from none.
  public var clockResolutionNanoseconds: Double
}

/// What the process had resident for the allocator, above what it had before the first request.
public struct MemoryFigures: Hashable, Sendable, Codable {
  /// The peak.
  public let peakResidentByteCount: UInt64
  /// Resident bytes at evenly spaced steps.
  public let residentByteCounts: [UInt64]
  /// Usable bytes granted ÷ bytes requested, over all requests.
  public let internalWaste: Double
}
