import CLabBench
import Histogram

/// One way to replay a workload under an allocator.
public enum ReplayPass: String, Sendable, Codable, CaseIterable {
  /// A deterministic replay that shows where blocks lie.
  case layout
  /// All threads at full speed, timed as a whole.
  case throughput
  /// All threads at full speed, with each call timed.
  case latency
  /// All threads at full speed, with readings of the resident set.
  case memory

  /// Replays `plan` on `target`. Traps for ``layout``, which needs a heap and not a target that threads share.
  func measure<Target: ReplayTarget & SendableMetatype>(
    _ plan: ReplayPlan, on target: Target
  ) throws(MeasurementFailure) -> Measurement {
    let replay = TimedReplay(plan, on: target)
    var measurement = Measurement()
    switch self {
    case .layout: preconditionFailure("the layout pass needs a heap of its own")
    case .throughput:
      let outcome = try replay.run { NoObserver() }
      measurement.failureCount = outcome.failureCount
      measurement.throughput = ThroughputFigures(
        operationCount: plan.facts.operationCount, elapsedNanoseconds: outcome.elapsedNanoseconds)
    case .latency:
      let clock = TickClock()
      let outcome = try replay.run { LatencyObserver(clock: clock) }
      measurement.failureCount = outcome.failureCount
      measurement.latency = LatencyFigures(outcome.observers.map(\.histogram), clock: clock)
    case .memory:
      try measureMemory(of: replay, interval: plan.facts.residencyInterval, into: &measurement)
    }
    return measurement
  }

  private func measureMemory<Target: ReplayTarget & SendableMetatype>(
    of replay: TimedReplay<Target>, interval: Int, into measurement: inout Measurement
  ) throws(MeasurementFailure) {
    _ = lab_huge_pages_disable()
    var before: UInt64 = 0
    let outcome = try replay.run {
      MemoryObserver(interval: interval)
    } whenReady: {
      lab_malloc_trim()
      _ = ResidentSet.resetPeak()
      before = ResidentSet.byteCount
    }
    // The peak includes pages of files. Their number only grows, so their bytes at the end are the most to subtract.
    let filesAfter = ResidentSet.totalByteCount - min(ResidentSet.byteCount, ResidentSet.totalByteCount)
    let peak = ResidentSet.peakByteCount - min(filesAfter, ResidentSet.peakByteCount)
    let readings = outcome.observers.flatMap(\.readings).sorted { $0.moment < $1.moment }
    measurement.failureCount = outcome.failureCount
    measurement.memory = MemoryFigures(
      peakResidentByteCount: max(peak, readings.map(\.byteCount).max() ?? 0) - min(before, peak),
      residentByteCounts: readings.map { $0.byteCount - min(before, $0.byteCount) },
      internalWaste: MemoryRatios.internalWaste(
        grantedByteCount: outcome.observers.reduce(0) { $0 + $1.grantedByteCount },
        requestedByteCount: outcome.observers.reduce(0) { $0 + $1.requestedByteCount }
      ).figure)
  }
}

extension LatencyFigures {
  /// The figures of all threads together.
  init(_ histograms: [Histogram<UInt64>], clock: TickClock) {
    var all = LatencyObserver.emptyHistogram
    for histogram in histograms { all.add(histogram) }
    p50Nanoseconds = all.valueAtPercentile(50)
    p99Nanoseconds = all.valueAtPercentile(99)
    p999Nanoseconds = all.valueAtPercentile(99.9)
    p9999Nanoseconds = all.valueAtPercentile(99.99)
    maxNanoseconds = all.max
    clockOverheadNanoseconds = clock.overheadNanoseconds.figure
    clockResolutionNanoseconds = clock.resolutionNanoseconds.figure
  }
}
