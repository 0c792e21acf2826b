import Addresses
public import MemoryProtocols

/// An allocation policy as the benchmark runs it: a name, and how to put a workload through it.
public struct Policy: Sendable {
  /// What `--policy` calls it.
  public let name: String

  /// One sentence on what it is.
  public let summary: String

  /// Whether the main job runs it; the others run when they are asked for.
  public let isInMainJob: Bool

  /// Replays for the layout over a range; nil for an allocator that maps its own memory and shows no layout. The
  /// replay returns nil when the range was too small.
  let reportLayout: (@Sendable (ReplayPlan, AddrRange<VirtAddr>, LayoutDetail) -> LayoutReport?)?

  /// Takes the steps of a hot path on a heap over a range; nil as above.
  let performHotPath: (@Sendable (HotPathWorkload, AddrRange<VirtAddr>) -> Void)?

  /// Replays on threads, over a range where the policy needs one.
  let replay: @Sendable (ReplayPlan, AddrRange<VirtAddr>, ReplayPass) throws(MeasurementFailure) -> Measurement

  /// A policy that receives its memory: every type that conforms to ``HeapPolicy``, behind a spin lock for threads.
  public static func heap<Heap: HeapPolicy & Sendable & ~Copyable>(
    _ name: String, _ type: Heap.Type, isInMainJob: Bool = true, summary: String
  ) -> Policy {
    Policy(
      name: name, summary: summary, isInMainJob: isInMainJob,
      reportLayout: { plan, range, detail in LayoutReplay<Heap>.report(plan, over: range, detail: detail) },
      performHotPath: { workload, range in HotPathRun<Heap>.perform(workload, over: range) },
      replay: { plan, range, pass throws(MeasurementFailure) in
        try pass.measure(plan, on: SpinLockedHeap<Heap>(over: range))
      })
  }

  /// An allocator with memory and locks of its own.
  public static func allocator<Target: ReplayTarget & SendableMetatype>(
    _ name: String, _ target: Target, isInMainJob: Bool = true, summary: String
  ) -> Policy {
    Policy(
      name: name, summary: summary, isInMainJob: isInMainJob, reportLayout: nil, performHotPath: nil,
      replay: { plan, _, pass throws(MeasurementFailure) in try pass.measure(plan, on: target) })
  }

  /// Whether the policy receives its memory, so that its layout can be walked.
  public var receivesMemory: Bool { reportLayout != nil }
}
