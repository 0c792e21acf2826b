/// What `heapbench-driver` says of a run.
public struct DriverFigures: Codable, Hashable, Sendable {
  /// How many operations were measured: those of a workload, or starts of a program.
  public let operations: Int
  /// How long they took.
  public let nanoseconds: Int
  /// How long the process's threads had processors meanwhile.
  public let processorNanoseconds: Int
  /// How many threads there were.
  public let threads: Int
  /// Page faults that needed no disk.
  public let minorFaultCount: Int
  /// The most bytes live at once, as asked for; of footprint workloads only, as the last two.
  public let peakLiveByteCount: Int?
  /// The most bytes resident at once: of a workload growth over what was resident before, of a program all.
  public let peakResidentByteCount: Int?
  /// The bytes live at the end.
  public let endLiveByteCount: Int?
  /// The bytes resident at the end: growth over what was resident before.
  public let endResidentByteCount: Int?

  /// What an operation took. On one thread that is processor time, which other programs of the machine do not lengthen;
  /// on several it is time as it passes, since waiting for each other counts.
  public var nanosecondsPerOperation: Double {
    Double(threads == 1 ? processorNanoseconds : nanoseconds) / Double(max(1, operations))
  }

  /// Peak resident over peak live.
  public var peakRatio: Double? {
    guard let resident = peakResidentByteCount, let live = peakLiveByteCount, live > 0 else { return nil }
    return Double(resident) / Double(live)
  }

  /// Resident over live at the end, nil where nothing is live then.
  public var endRatio: Double? {
    guard let resident = endResidentByteCount, let live = endLiveByteCount, live > 0 else { return nil }
    return Double(resident) / Double(live)
  }
}

/// The runs of a workload under an allocator.
public struct AllocatorRuns: Codable, Hashable, Sendable {
  /// A run for each round.
  public var figures: [DriverFigures] = []
  /// Why there are no more runs.
  public var failure: String?

  /// The median over the rounds of what is wanted of a run; nil after a failure.
  func median(_ figure: (DriverFigures) -> Double?) -> Double? {
    failure == nil ? figures.compactMap(figure).median : nil
  }
}
