import Foundation

/// The replay of one trace, of any length, under policies and under preloaded allocators.
///
/// Policies place the blocks one by one, in the recorded order: their figures are exact. Allocators run in processes of
/// their own, with as many threads as were recorded.
public struct TraceReplayJob: Sendable {
  /// The longest that a policy which walks its holes may take unless it was asked for by name.
  public static let listPolicyTimeLimit = Duration.seconds(60)

  private let trace: TraceFile
  private let policies: [Policy]
  private let isChosen: Bool
  private let allocators: [ComparedAllocator]
  private let driver: DriverProcess
  private let options: TraceReplayOptions
  private let siteCountMax: Int
  private let process = MeasurementProcess()

  /// A job of these policies and allocators.
  ///
  /// - Parameters:
  ///   - isChosen: Whether the policies were asked for by name; then none has a time limit.
  ///   - siteCountMax: How many call stacks to show, of a trace that has them.
  public init(
    _ trace: TraceFile, policies: [Policy], isChosen: Bool, allocators: [ComparedAllocator], driver: DriverProcess,
    options: TraceReplayOptions, siteCountMax: Int
  ) {
    self.siteCountMax = siteCountMax
    self.trace = trace
    self.policies = policies
    self.isChosen = isChosen
    self.allocators = allocators
    self.driver = driver
    self.options = options
  }

  /// The policies of a replay in which none was chosen: all that receive their memory, but for the plain list, whose
  /// layouts are first fit's.
  public static var usualPolicies: [Policy] {
    PolicyCatalog.all.filter { $0.receivesMemory && $0.name != PolicyCatalog.plainList }
  }

  /// Runs the job; the report is partial when the task was cancelled.
  ///
  /// - Throws: ``TraceFileError``.
  public func run(progress: any ProgressMeter) async throws -> TraceReplayReport {
    progress.begin(weights: [1] + policies.map { _ in 1 } + allocators.map { _ in 2 })
    defer { progress.end() }
    progress.show("reading \(trace.name)")
    let plan = try ReplayPlan(streaming: trace)
    try BenchmarkJob.checkFits(plan)
    progress.completeWorkload()
    var report = TraceReplayReport(plan, trace)
    for policy in policies where !Task.isCancelled {
      progress.show("\(trace.name): \(policy.name)")
      report.policies.append(await result(of: policy, plan))
      progress.completeWorkload()
    }
    for allocator in allocators where !Task.isCancelled {
      progress.show("\(trace.name): \(allocator.name)")
      report.allocators.append(await result(of: allocator, plan, progress))
      progress.completeWorkload()
    }
    if siteCountMax > 0, !Task.isCancelled {
      progress.show("\(trace.name): call stacks")
      report.sites = try CallSites(of: trace, countMax: siteCountMax)
    }
    report.isComplete = !Task.isCancelled
    return report
  }

  private func result(of policy: Policy, _ plan: ReplayPlan) async -> TraceReplayReport.PolicyResult {
    var request = MeasurementRequest(
      policy: policy.name, workload: plan.name, facts: plan.facts, stepsPath: trace.path, passes: [.layout])
    request.isTrace = true
    do {
      let layout = try await measurement(request, isLimited: !isChosen && !policy.isInMainJob).layout
      return TraceReplayReport.PolicyResult(policy: policy.name, layout: layout)
    } catch let limit as TimeLimitPassed {
      return TraceReplayReport.PolicyResult(policy: policy.name, leftOut: limit.description)
    } catch {
      return TraceReplayReport.PolicyResult(policy: policy.name, failure: "\(error)")
    }
  }

  private func measurement(_ request: MeasurementRequest, isLimited: Bool) async throws -> Measurement {
    let process = process
    return try await withThrowingTaskGroup(of: Measurement?.self) { group in
      group.addTask { try await process.measure(request) }
      if isLimited {
        group.addTask {
          try await Task.sleep(for: Self.listPolicyTimeLimit)
          return nil
        }
      }
      defer { group.cancelAll() }
      guard let measurement = try await group.next() ?? nil else {
        throw TimeLimitPassed(
          description: "left out after \(Self.listPolicyTimeLimit.components.seconds) s; --policy \(request.policy) "
            + "lets it take its time")
      }
      return measurement
    }
  }

  private func result(
    of allocator: ComparedAllocator, _ plan: ReplayPlan, _ progress: any ProgressMeter
  ) async -> TraceReplayReport.AllocatorResult {
    do {
      let figures = try await driver.replay(plan, options, under: allocator) { share in
        progress.show("\(plan.name): \(allocator.name)", share: share)
      }
      return TraceReplayReport.AllocatorResult(allocator: allocator.name, figures: figures)
    } catch {
      return TraceReplayReport.AllocatorResult(allocator: allocator.name, failure: "\(error)")
    }
  }
}

/// A policy that walks its holes took too long for a replay in which nobody asked for it.
private struct TimeLimitPassed: Error, CustomStringConvertible {
  let description: String
}
