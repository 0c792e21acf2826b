/// The figures that `heapbench-driver` prints for a run.
public struct DriverFigures: Codable, Hashable, Sendable {
  /// The number of operations: those of a workload, or starts of a program.
  public let operations: Int
  /// The elapsed time of all operations.
  public let nanoseconds: Int
  /// The processor time of all threads in that time.
  public let processorNanoseconds: Int
  /// The number of threads.
  public let threads: Int
  /// The page faults that needed no disk.
  public let minorFaultCount: Int
  /// The most requested bytes live at once. Footprint workloads alone have it, as also the next three figures.
  public let peakLiveByteCount: Int?
  /// The most bytes resident at once: of a workload the growth since before its first call, of a program all bytes.
  public let peakResidentByteCount: Int?
  /// The requested bytes live at the end.
  public let endLiveByteCount: Int?
  /// The bytes resident at the end: the growth since before the first call.
  public let endResidentByteCount: Int?
  /// The bytes resident when all threads sleep: the growth since before the first one. Idle threads alone have it, as
  /// also the next figure.
  public let idleResidentByteCount: Int?
  /// The same after `malloc_trim(0)`.
  public let trimmedResidentByteCount: Int?
  /// The time of the slowest call. Stall workloads alone have it.
  public let slowestNanoseconds: Int?
  /// 1 where the workload frees blocks by their size and the allocator has no such function: then `free` was called.
  public let unsizedFrees: Int?
  /// The times of single calls of malloc. Latency workloads alone have it, as also the next figure.
  public let mallocLatency: CallLatency?
  /// The times of single calls of free.
  public let freeLatency: CallLatency?

  /// The nanoseconds for each operation. On one thread this is processor time, which other programs on the machine do
  /// not lengthen. On several threads it is elapsed time, in which the threads' waiting for each other counts.
  public var nanosecondsPerOperation: Double {
    Double(threads == 1 ? processorNanoseconds : nanoseconds) / Double(max(1, operations))
  }

  /// The page faults for a million operations.
  var faultsPerMillion: Double { Double(minorFaultCount) * 1_000_000 / Double(max(1, operations)) }

  /// Peak resident bytes over peak live bytes.
  public var peakRatio: Double? {
    guard let resident = peakResidentByteCount, let live = peakLiveByteCount, live > 0 else { return nil }
    return Double(resident) / Double(live)
  }

  /// The most KiB resident at once.
  var peakResidentKiB: Double? { peakResidentByteCount.map { Double($0) / 1024 } }

  /// Resident bytes over live bytes at the end; nil where nothing is live.
  public var endRatio: Double? {
    guard let resident = endResidentByteCount, let live = endLiveByteCount, live > 0 else { return nil }
    return Double(resident) / Double(live)
  }

  /// The KiB that each idle thread keeps.
  public var idleKiBPerThread: Double? { idleResidentByteCount.map(kibPerThread) }

  /// The KiB that each idle thread keeps after `malloc_trim(0)`.
  public var trimmedKiBPerThread: Double? { trimmedResidentByteCount.map(kibPerThread) }

  private func kibPerThread(_ byteCount: Int) -> Double { Double(byteCount) / 1024 / Double(max(1, threads)) }

  /// The time of the slowest call in milliseconds.
  public var slowestMilliseconds: Double? { slowestNanoseconds.map { Double($0) / 1_000_000 } }
}

/// The runs of a workload under an allocator.
public struct AllocatorRuns: Codable, Hashable, Sendable {
  /// The figures of each round.
  public var figures: [DriverFigures] = []
  /// Why there are no further runs; nil without a failure.
  public var failure: String?

  /// A figure's median over the rounds; nil after a failure.
  func median(_ figure: (DriverFigures) -> Double?) -> Double? {
    failure == nil ? figures.compactMap(figure).median : nil
  }
}
