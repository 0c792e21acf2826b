import Addresses

/// A request to a measuring process, passed as JSON in the process's arguments.
public struct MeasurementRequest: Hashable, Sendable, Codable {
  /// The policy's name.
  var policy: String
  /// The workload's name.
  var workload: String
  /// The workload's facts.
  var facts: WorkloadFacts
  /// The file with the steps, which the process maps.
  var stepsPath: String
  /// Whether that file is a trace, whose steps are read as they are replayed.
  var isTrace = false
  /// The passes to run, in this order.
  var passes: [ReplayPass]
  /// The bytes of memory for the heap; 0 for the layout pass, which finds its own size, and for allocators that map
  /// their own memory.
  var heapByteCount: UInt64 = 0

  /// Measures in this process.
  public func measure() throws(MeasurementFailure) -> Measurement {
    guard let policy = PolicyCatalog.policy(named: policy) else {
      throw MeasurementFailure("there is no policy '\(policy)'")
    }
    let plan =
      try isTrace
      ? ReplayPlan(name: workload, facts: facts, traceAt: stepsPath)
      : ReplayPlan(name: workload, facts: facts, sharedAt: stepsPath)
    return try Self.measure(plan, with: policy, passes: passes, heapByteCount: heapByteCount)
  }

  /// Measures a prepared workload in this process. All passes use the same memory for the heap, one after another.
  static func measure(
    _ plan: ReplayPlan, with policy: Policy, passes: [ReplayPass], heapByteCount: UInt64,
    detail: LayoutDetail = .full
  ) throws(MeasurementFailure) -> Measurement {
    var measurement = Measurement()
    if passes.contains(.layout) { measurement.layout = try layout(of: plan, with: policy, detail) }
    let replays = passes.filter { $0 != .layout }
    guard !replays.isEmpty else { return measurement }
    guard policy.receivesMemory else {
      let nowhere = AddrRange<VirtAddr>(start: .null, end: .null)
      for pass in replays { measurement.merge(try policy.replay(plan, nowhere, pass)) }
      return measurement
    }
    let isPinned = !replays.contains(.memory)
    let memory = try ReplayMemory(byteCount: UInt(heapByteCount), isPinned: isPinned)
    for pass in replays { measurement.merge(try policy.replay(plan, memory.range, pass)) }
    if isPinned {
      measurement.isPinned = memory.isPinned
      measurement.pinRefusal = memory.pinRefusal
    }
    return measurement
  }

  /// Replays for the layout, and doubles the memory each time the heap runs out of it.
  private static func layout(
    of plan: ReplayPlan, with policy: Policy, _ detail: LayoutDetail
  ) throws(MeasurementFailure) -> LayoutReport? {
    guard let reportLayout = policy.reportLayout else { return nil }
    let available = MachineMemory.availableByteCount
    var byteCount = max(4 << 20, (plan.facts.oraclePeakByteCount * 2).roundedUp(toMultipleOf: 1 << 20))
    while byteCount / 2 < available {
      let memory = try ReplayMemory(byteCount: UInt(byteCount), isPinned: false)
      if let report = try reportLayout(plan, memory.range, detail) { return report }
      byteCount *= 2
    }
    throw MeasurementFailure(
      "'\(plan.name)' needs more than \(ByteCount(byteCount / 2)) with policy '\(policy.name)' and this machine has "
        + "\(ByteCount(available)) available: lower --scale, or leave the policy out")
  }
}
