/// The figures of one measuring process, by pass.
public struct Measurement: Hashable, Sendable, Codable {
  /// The result of the layout pass.
  public var layout: LayoutReport?
  /// The figures of the throughput pass.
  public var throughput: ThroughputFigures?
  /// The figures of the latency pass.
  public var latency: LatencyFigures?
  /// The figures of the memory pass.
  public var memory: MemoryFigures?
  /// The requests in all passes that got no memory.
  public var failureCount = 0
  /// Whether the heap's memory was pinned; nil for an allocator with memory of its own.
  public var isPinned: Bool?
  /// Why the memory was not pinned, and what to do about it.
  public var pinRefusal: String?

  /// A measurement without figures.
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

/// The throughput of a whole workload.
public struct ThroughputFigures: Hashable, Sendable, Codable {
  /// The number of calls of the allocator.
  public let operationCount: Int
  /// The time from when all threads could start to when the last one was done.
  public let elapsedNanoseconds: UInt64

  /// The calls for each second of that time.
  public var operationsPerSecond: Double {
    elapsedNanoseconds == 0 ? 0 : Double(operationCount) * 1e9 / Double(elapsedNanoseconds)
  }
}

/// The times of single calls, without the time to read the clock.
public struct LatencyFigures: Hashable, Sendable, Codable {
  /// The median of the calls.
  public var p50Nanoseconds: UInt64
  /// The time that 99 % of the calls did not exceed.
  public var p99Nanoseconds: UInt64
  /// The time that 99.9 % of the calls did not exceed.
  public var p999Nanoseconds: UInt64
  /// The time that 99.99 % of the calls did not exceed.
  public var p9999Nanoseconds: UInt64
  /// The time of the longest call.
  public var maxNanoseconds: UInt64
  /// The time to read the clock, which was subtracted from every call.
  public var clockOverheadNanoseconds: Double
  /// The shortest time that the clock can tell from 0.
  public var clockResolutionNanoseconds: Double
}

/// The resident memory of the process for the allocator: the growth since before the first request.
public struct MemoryFigures: Hashable, Sendable, Codable {
  /// The most resident bytes.
  public let peakResidentByteCount: UInt64
  /// The resident bytes at evenly spaced steps.
  public let residentByteCounts: [UInt64]
  /// The usable bytes granted over the bytes requested, summed over all requests.
  public let internalWaste: Double
}
