/// The result of one policy on one workload.
public struct PolicyResult: Hashable, Sendable, Codable {
  /// The policy's name.
  public let policy: String
  /// The deterministic layout; nil for an allocator with memory of its own.
  public private(set) var layout: LayoutReport?
  /// The figures of the memory pass.
  public private(set) var memory: MemoryFigures?
  /// The throughput of each round.
  public private(set) var throughputRounds: [ThroughputFigures] = []
  /// The latencies of each round.
  public private(set) var latencyRounds: [LatencyFigures] = []
  /// The requests in all passes that got no memory.
  public private(set) var failureCount = 0
  /// Whether the heap's memory was pinned in the timed passes; nil for an allocator with memory of its own.
  public private(set) var isPinned: Bool?
  /// Why the memory was not pinned, and what to do about it.
  public private(set) var pinRefusal: String?
  /// Why there are no further figures, as one line.
  public private(set) var failure: String?

  init(policy: String) {
    self.policy = policy
  }

  /// Keeps the layout's picture of one moment, if there is a layout.
  mutating func keepPicture(ofSample index: Int) { layout?.keepPicture(ofSample: index) }

  /// Whether anything was measured.
  var hasFigures: Bool { layout != nil || memory != nil || !throughputRounds.isEmpty }

  /// Adds the measurement of one process; nil, from a cancelled process, adds nothing.
  mutating func add(_ outcome: Result<Measurement, MeasurementFailure>?) {
    switch outcome {
    case nil: break
    case .failure(let failure): self.failure = self.failure ?? failure.description
    case .success(let measurement):
      layout = layout ?? measurement.layout
      memory = memory ?? measurement.memory
      if let round = measurement.throughput { throughputRounds.append(round) }
      if let round = measurement.latency { latencyRounds.append(round) }
      failureCount += measurement.failureCount
      isPinned = isPinned.map { $0 && (measurement.isPinned ?? true) } ?? measurement.isPinned
      pinRefusal = pinRefusal ?? measurement.pinRefusal
    }
  }

  /// The median of the rounds' operations per second; nil before the first round.
  public var operationsPerSecond: Double? {
    throughputRounds.map(\.operationsPerSecond).median
  }

  /// The median of each figure over the rounds; nil before the first round.
  public var latency: LatencyFigures? {
    guard let p50 = latencyRounds.map(\.p50Nanoseconds).median,
      let p99 = latencyRounds.map(\.p99Nanoseconds).median,
      let p999 = latencyRounds.map(\.p999Nanoseconds).median,
      let p9999 = latencyRounds.map(\.p9999Nanoseconds).median,
      let longest = latencyRounds.map(\.maxNanoseconds).median,
      let overhead = latencyRounds.map(\.clockOverheadNanoseconds).median,
      let resolution = latencyRounds.map(\.clockResolutionNanoseconds).median
    else { return nil }
    return LatencyFigures(
      p50Nanoseconds: p50, p99Nanoseconds: p99, p999Nanoseconds: p999, p9999Nanoseconds: p9999,
      maxNanoseconds: longest, clockOverheadNanoseconds: overhead, clockResolutionNanoseconds: resolution)
  }

  /// Operations per second over those of the system's malloc in the same workload.
  func throughputRatio(in workload: WorkloadReport) -> Double? {
    guard let own = operationsPerSecond, let system = workload.system?.operationsPerSecond, system > 0 else {
      return nil
    }
    return own / system
  }

  /// The usable bytes granted over the bytes requested: of the layout if there is one, else of the memory pass.
  var internalWaste: Double? { layout?.internalWaste ?? memory?.internalWaste }

  /// The heap's peak over the compaction oracle's: of the layout if there is one, else of the resident set.
  public func blowUpOverOracle(_ facts: WorkloadFacts) -> Double? {
    layout?.blowUpOverOracle
      ?? memory.map {
        MemoryRatios.blowUp(
          peakHeapByteCount: $0.peakResidentByteCount, peakLiveByteCount: facts.oraclePeakByteCount
        ).figure
      }
  }

  /// The peak of the resident bytes over the peak of the live bytes.
  public func peakMemoryRatio(_ facts: WorkloadFacts) -> Double? {
    memory.map {
      MemoryRatios.blowUp(
        peakHeapByteCount: $0.peakResidentByteCount, peakLiveByteCount: facts.peakLiveByteCount
      ).figure
    }
  }
}
