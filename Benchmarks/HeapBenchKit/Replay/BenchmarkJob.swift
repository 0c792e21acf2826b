import Foundation

/// The benchmark: every workload under every policy, with each measurement in a process of its own.
///
/// For each workload, the passes without a clock run first, two at a time. Then come the rounds, in which the policies
/// take turns: other work on the machine affects all of them alike.
public struct BenchmarkJob: Sendable {
  /// The workloads to replay.
  public var items: [JobItem]
  /// The policies to replay them under, in the order of the report.
  public var policies: [Policy]
  /// The number of rounds of each timed pass; medians are reported.
  public var roundCount: Int
  /// The process that measures.
  public var process: MeasurementProcess

  /// A job of these workloads under these policies.
  public init(
    items: [JobItem], policies: [Policy], roundCount: Int, process: MeasurementProcess = MeasurementProcess()
  ) {
    self.items = items
    self.policies = policies
    self.roundCount = roundCount
    self.process = process
  }

  /// Runs the job and returns the report; a partial one when the task was cancelled.
  ///
  /// - Throws: The error of loading a workload. A policy that fails is a line in the report.
  public func run(settings: BenchmarkReport.Settings, progress: any ProgressMeter) async throws -> BenchmarkReport {
    var report = BenchmarkReport(settings: settings)
    progress.begin(weights: items.map { Double($0.estimatedStepCount) * Double(policies.count) })
    for item in items {
      if Task.isCancelled { break }
      progress.show("loading \(item.name)")
      let plan = try ReplayPlan(item.load())
      try Self.checkFits(plan)
      report.workloads.append(WorkloadReport(plan, isAdversary: item.isAdversary))
      let index = report.workloads.count - 1
      await measure(plan, into: &report.workloads[index], progress: progress)
      progress.completeWorkload()
    }
    report.isComplete = !Task.isCancelled
    progress.end()
    return report
  }

  /// Throws when the workload's live bytes alone exceed the machine's available memory.
  static func checkFits(_ plan: ReplayPlan, available: UInt64 = MachineMemory.availableByteCount)
    throws(MeasurementFailure)
  {
    let needed = plan.facts.oraclePeakByteCount
    guard needed <= available else {
      throw MeasurementFailure(
        "'\(plan.name)' has \(ByteCount(needed)) live at once and this machine has \(ByteCount(available)) available: "
          + "lower --scale, or leave it out")
    }
  }

  private func measure(_ plan: ReplayPlan, into report: inout WorkloadReport, progress: any ProgressMeter) async {
    var results = policies.map { PolicyResult(policy: $0.name) }
    defer { report.results = results.filter { $0.hasFigures || $0.failure != nil } }
    progress.show("\(plan.name): layout", share: 0)
    await measure(.layout, of: plan, into: &results)
    if let index = LayoutReport.sharedSampleIndex(of: results.compactMap(\.layout)) {
      for result in results.indices { results[result].keepPicture(ofSample: index) }
    }
    progress.show("\(plan.name): memory", share: 0.25)
    await measure(.memory, of: plan, into: &results)
    for round in 1...roundCount {
      for (index, policy) in policies.enumerated() where results[index].failure == nil {
        if Task.isCancelled { return }
        let done = Double((round - 1) * policies.count + index) / Double(roundCount * policies.count)
        progress.show("\(plan.name): \(policy.name), round \(round) of \(roundCount)", share: 0.4 + 0.6 * done)
        // A heap is new in each pass, with its bookkeeping. An allocator with memory of its own gets a process for each
        // pass; otherwise the second pass would start with what the first one left.
        let runs: [[ReplayPass]] = policy.receivesMemory ? [[.throughput, .latency]] : [[.throughput], [.latency]]
        for passes in runs {
          results[index].add(await outcome(of: passes, plan, policy, heap: results[index].layout))
        }
      }
    }
  }

  /// Runs one pass without a clock under every policy, two at a time.
  private func measure(_ pass: ReplayPass, of plan: ReplayPlan, into results: inout [PolicyResult]) async {
    let wanted = policies.indices.filter {
      results[$0].failure == nil && (pass != .layout || policies[$0].receivesMemory)
    }
    await withTaskGroup(of: (Int, Result<Measurement, MeasurementFailure>?).self) { group in
      var waiting = wanted.makeIterator()
      func start() {
        guard let index = waiting.next(), !Task.isCancelled else { return }
        let (policy, layout) = (policies[index], results[index].layout)
        group.addTask { (index, await outcome(of: [pass], plan, policy, heap: layout)) }
      }
      start()
      start()
      while let (index, outcome) = await group.next() {
        results[index].add(outcome)
        start()
      }
    }
  }

  /// The measurement of one process; nil when the task was cancelled.
  private func outcome(
    of passes: [ReplayPass], _ plan: ReplayPlan, _ policy: Policy, heap: LayoutReport?
  ) async -> Result<Measurement, MeasurementFailure>? {
    // With several threads the order of the steps varies, and a heap may need more than in the layout replay's order.
    let slackDivisor: UInt64 = plan.facts.threadCount > 1 ? 2 : 16
    let peak = heap?.peakHeapByteCount ?? 0
    let request = MeasurementRequest(
      policy: policy.name, workload: plan.name, facts: plan.facts, stepsPath: plan.steps.path, passes: passes,
      heapByteCount: (peak + peak / slackDivisor + (1 << 20)).roundedUp(toMultipleOf: 2 << 20))
    do {
      return .success(try await process.measure(request))
    } catch let failure as MeasurementFailure {
      return .failure(failure)
    } catch {
      return Task.isCancelled ? nil : .failure(MeasurementFailure("\(error)"))
    }
  }
}
