/// The results of a job, which `--json` writes with keys in alphabetical order.
///
/// Sizes are bytes, times nanoseconds, ratios and shares plain numbers, with 1 for the whole. Everything under `layout`
/// is deterministic: equal seeds give equal figures in every run and on every machine. The rest was timed.
public struct BenchmarkReport: Hashable, Sendable, Codable {
  /// The settings of the job.
  public struct Settings: Hashable, Sendable, Codable {
    /// The seed of the profiles.
    public var seed: UInt64
    /// The scale of the profiles.
    public var scale: Double
    /// The number of rounds of each timed pass.
    public var roundCount: Int
    /// `release` or `debug`; the times of a debug build mean nothing.
    public var build: String

    /// The settings of a job in this build.
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
  /// The settings of the job.
  public var settings: Settings
  /// Whether the job was not interrupted.
  public var isComplete = false
  /// The workloads in the order in which they ran.
  public var workloads: [WorkloadReport] = []

  /// A report without workloads.
  public init(settings: Settings) {
    self.settings = settings
  }

  /// Whether anything was measured.
  public var hasFigures: Bool { workloads.contains { !$0.results.isEmpty } }

  /// Why the memory of a heap could not be pinned, for the largest such heap; nil when all of it was pinned.
  public var pinRefusal: String? {
    workloads.lazy.flatMap(\.results).filter { $0.pinRefusal != nil }
      .max { ($0.layout?.peakHeapByteCount ?? 0) < ($1.layout?.peakHeapByteCount ?? 0) }?.pinRefusal
  }

  /// The heap with the highest external fragmentation at its worst moment.
  ///
  /// Adversaries count only when there is no other workload: they are made to fragment a heap.
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

/// A workload with its results.
public struct WorkloadReport: Hashable, Sendable, Codable {
  /// The profile's or the trace's name.
  public let name: String
  /// One sentence on whose behaviour it is.
  public let summary: String
  /// What is known about it without any heap.
  public let facts: WorkloadFacts
  /// Whether it is a worst case made against a policy, and not a program's behaviour.
  public let isAdversary: Bool
  /// One result for each policy, in the order of the job.
  public var results: [PolicyResult] = []

  init(_ plan: ReplayPlan, isAdversary: Bool) {
    self.isAdversary = isAdversary
    name = plan.name
    summary = plan.summary
    facts = plan.facts
  }

  /// The result of the system's malloc, the base of the throughput ratios.
  public var system: PolicyResult? {
    results.first { $0.policy == PolicyCatalog.system.name }
  }
}
