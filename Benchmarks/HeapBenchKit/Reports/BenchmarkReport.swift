/// All that a job measured: what `--json` writes, with keys in alphabetical order.
///
/// Byte counts are bytes, times nanoseconds, ratios and shares plain numbers with 1 for the whole. Everything under
/// `layout` is deterministic: equal seeds give equal figures on every run and machine. The rest was timed.
public struct BenchmarkReport: Hashable, Sendable, Codable {
  /// What the job was told.
  public struct Settings: Hashable, Sendable, Codable {
    /// The seed of the profiles.
    public var seed: UInt64
    /// The scale of the profiles.
    public var scale: Double
    /// How often each timed pass ran.
    public var roundCount: Int
    /// `release` or `debug`; the times of a debug build mean nothing.
    public var build: String

    /// Settings.
    public init(seed: UInt64, scale: Double, roundCount: Int) {
      self.seed = seed
      self.scale = scale
      self.roundCount = roundCount
      #if DEBUG
        build = "debug"
      #else
        build = "release"
      #endif
    }
  }

  /// The version of this format: 1.
  public var formatVersion = 1
  /// What the job was told.
  public var settings: Settings
  /// False when the job was interrupted.
  public var isComplete = false
  /// The workloads in the order they ran.
  public var workloads: [WorkloadReport] = []

  /// A report without workloads.
  public init(settings: Settings) {
    self.settings = settings
  }

  /// Why memory was not pinned, where it was to be, of the largest heap it was refused to; nil when all was.
  public var pinRefusal: String? {
    workloads.lazy.flatMap(\.results).filter { $0.pinRefusal != nil }
      .max { ($0.layout?.peakHeapByteCount ?? 0) < ($1.layout?.peakHeapByteCount ?? 0) }?.pinRefusal
  }

  /// The workload and result whose heap was worst off: the highest external fragmentation at its worst moment.
  ///
  /// Adversaries count when there is nothing else: that they hurt is known.
  public var worstHeap: (workload: WorkloadReport, result: PolicyResult, layout: LayoutReport)? {
    var worst: (workload: WorkloadReport, result: PolicyResult, layout: LayoutReport)?
    let programs = workloads.filter { !$0.isAdversary }
    for workload in programs.isEmpty ? workloads : programs {
      for result in workload.results {
        guard let layout = result.layout else { continue }
        if let worst, worst.layout.worstSample.externalFragmentation >= layout.worstSample.externalFragmentation {
          continue
        }
        worst = (workload, result, layout)
      }
    }
    return worst
  }
}

/// A workload and what was measured with it.
public struct WorkloadReport: Hashable, Sendable, Codable {
  /// The profile's or the trace's name.
  public let name: String
  /// Whose behaviour it is.
  public let summary: String
  /// What is known of it without any heap.
  public let facts: WorkloadFacts
  /// Whether it is a worst case made against a policy rather than a program's behaviour.
  public let isAdversary: Bool
  /// One result for each policy, in the order of the job.
  public var results: [PolicyResult] = []

  init(_ plan: ReplayPlan, isAdversary: Bool) {
    self.isAdversary = isAdversary
    name = plan.name
    summary = plan.summary
    facts = plan.facts
  }

  /// The result of the system's malloc, to which others are related.
  public var system: PolicyResult? {
    results.first { $0.policy == PolicyCatalog.system.name }
  }
}
