/// Measures workloads on 1 to 64 threads under every allocator. The allocators take turns.
public struct ScalingJob: Sendable {
  let allocators: [ComparedAllocator]
  let driver: DriverProcess
  let roundCount: Int
  let milliseconds: Int
  var workloads = ScalingCurve.workloads
  var threadCounts = ScalingCurve.allThreadCounts

  /// A job for this driver.
  public init(allocators: [ComparedAllocator], driver: DriverProcess, size: ComparisonPlan.Size) {
    self.allocators = allocators
    self.driver = driver
    roundCount = max(1, min(3, size.roundCount))
    milliseconds = size.milliseconds
  }

  /// A curve for each workload; fewer when the task is cancelled.
  public func run(progress: some ProgressMeter) async -> [ScalingCurve] {
    progress.begin(weights: workloads.map { _ in 1 })
    defer { progress.end() }
    var curves: [ScalingCurve] = []
    for workload in workloads {
      var curve = ScalingCurve(name: workload, allocators: allocators.map(\.name))
      for (step, threadCount) in threadCounts.enumerated() {
        progress.show(
          "\(workload): \(Figure.count(threadCount, "thread"))", share: Double(step) / Double(threadCounts.count))
        let task = ComparisonPlan.Task(
          name: workload, kind: .speed, roundCount: roundCount,
          command: DriverCommand(
            arguments: ["run", workload, "--milliseconds", "\(milliseconds)", "--threads", "\(threadCount)"]))
        let item = await ComparedItem.measure(task, under: allocators, driver: driver) { _, _ in }
        guard !Task.isCancelled else { return curves }
        curve.threadCounts.append(threadCount)
        curve.items.append(item)
      }
      curves.append(curve)
      progress.completeWorkload()
    }
    return curves
  }
}
