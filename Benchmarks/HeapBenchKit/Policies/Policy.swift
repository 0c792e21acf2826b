import Addresses
public import MemoryProtocols
import ShadowHeaps

/// An allocation policy as the benchmark runs it: a name, and the ways to run a workload under it.
public struct Policy: Sendable {
  /// The policy's name for `--policy`.
  public let name: String

  /// What the policy is, in one phrase.
  public let summary: String

  /// How it places blocks, what that costs, and what to read next: a few sentences.
  public let explanation: String

  /// Whether the main job runs the policy; the others run only when they are asked for.
  public let isInMainJob: Bool

  /// Replays for the layout over a range, and returns nil when the range is too small. Nil for an allocator that maps
  /// its own memory and shows no layout.
  let reportLayout:
    (@Sendable (ReplayPlan, AddrRange<VirtAddr>, LayoutDetail) throws(MeasurementFailure) -> LayoutReport?)?

  /// Takes the steps of a hot path on a heap over a range. Nil for an allocator that maps its own memory.
  let performHotPath: (@Sendable (HotPathWorkload, AddrRange<VirtAddr>) -> Void)?

  /// Takes random requests on a heap over a range, beside the model: what did not hold, or nil. Nil for an allocator that
  /// maps its own memory.
  let findMistake: (@Sendable (PolicyCheck.Requests, AddrRange<VirtAddr>) -> String?)?

  /// Replays on threads, over a range if the policy needs one.
  let replay: @Sendable (ReplayPlan, AddrRange<VirtAddr>, ReplayPass) throws(MeasurementFailure) -> Measurement

  /// A policy that receives its memory: every type that conforms to ``HeapPolicy``, behind a spin lock for threads.
  public static func heap<Heap: HeapPolicy & Sendable & ~Copyable>(
    _ name: String, _ type: Heap.Type, isInMainJob: Bool = true, summary: String,
    explanation: String = ""
  ) -> Policy {
    Policy(
      name: name, summary: summary, explanation: explanation, isInMainJob: isInMainJob,
      reportLayout: { plan, range, detail throws(MeasurementFailure) in
        try LayoutReplay<Heap>.report(plan, over: range, detail: detail)
      },
      performHotPath: { workload, range in HotPathRun<Heap>.perform(workload, over: range) },
      findMistake: { requests, range in
        var shadow = ShadowHeap<Heap>(over: range)
        do {
          try shadow.run(
            steps: requests.count, seed: requests.seed, liveCount: requests.liveCount,
            largestByteCount: requests.largestByteCount)
          return nil
        } catch {
          return "\(error)"
        }
      },
      replay: { plan, range, pass throws(MeasurementFailure) in
        try pass.measure(plan, on: SpinLockedHeap<Heap>(over: range))
      })
  }

  /// An allocator with memory and locks of its own.
  public static func allocator<Target: ReplayTarget & SendableMetatype>(
    _ name: String, _ target: Target, isInMainJob: Bool = true, summary: String,
    explanation: String = ""
  ) -> Policy {
    Policy(
      name: name, summary: summary, explanation: explanation, isInMainJob: isInMainJob, reportLayout: nil,
      performHotPath: nil, findMistake: nil,
      replay: { plan, _, pass throws(MeasurementFailure) in try pass.measure(plan, on: target) })
  }

  /// Whether the policy receives its memory; its layout can then be walked.
  public var receivesMemory: Bool { reportLayout != nil }
}
