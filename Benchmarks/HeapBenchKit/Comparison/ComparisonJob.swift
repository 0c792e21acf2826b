import Foundation

/// Runs a plan, with a process for each allocator and round. The allocators take turns, and each round starts with
/// another one: whatever changes on the machine in the meantime affects all of them.
public struct ComparisonJob: Sendable {
  let plan: ComparisonPlan
  let driver: DriverProcess

  /// A job for this driver.
  public init(_ plan: ComparisonPlan, driver: DriverProcess) {
    self.plan = plan
    self.driver = driver
  }

  /// Runs the whole plan, or as much of it as is done when the task is cancelled.
  public func run(progress: some ProgressMeter) async -> ComparisonReport {
    let countsInstructions = plan.tasks.contains { $0.name == InstructionCount.workload }
    let countWeight = countsInstructions ? 2.0 * Double(plan.allocators.count) : 0
    progress.begin(weights: plan.tasks.map { Self.weight($0) * Double(plan.allocators.count) } + [countWeight])
    defer { progress.end() }
    var report = ComparisonReport(allocators: plan.allocators, notes: plan.notes, isWhole: plan.isWhole)
    report.patternPercent = plan.patternPercent
    report.processor = ProcessorModel.current
    if let note = Self.loadNote() { report.notes.append(note) }
    for task in plan.tasks {
      let item = await ComparedItem.measure(task, under: plan.allocators, driver: driver) { allocator, share in
        progress.show("\(task.name): \(allocator)", share: share)
      }
      guard !Task.isCancelled else { return report }
      report.items.append(item)
      progress.completeWorkload()
    }
    if countsInstructions { await report.count(InstructionCount(driver: driver)) { progress.show($0) } }
    report.isComplete = !Task.isCancelled
    return report
  }

  /// A line for a busy machine: times on several threads then include other programs' work.
  private static func loadNote() -> String? {
    var load = 0.0
    // SAFETY: the out-parameter has room for one number.
    guard unsafe getloadavg(&load, 1) == 1 else { return nil }
    let processorCount = ProcessInfo.processInfo.activeProcessorCount
    guard load > 0.75 * Double(processorCount) else { return nil }
    let text = Figure.text(load, significantDigits: 2)
    return "the machine was busy (load \(text) on \(processorCount) processors): times on several threads are uncertain"
  }

  /// The approximate time of a task under one allocator, in seconds.
  private static func weight(_ task: ComparisonPlan.Task) -> Double {
    switch task.kind {
    case .speed: 0.1 * Double(task.roundCount)
    case .footprint: 2 * Double(task.roundCount)
    case .idle: 0.5 * Double(task.roundCount)
    case .stall: 1.5 * Double(task.roundCount)
    case .latency: 0.4 * Double(task.roundCount)
    case .program: 0.7 * Double(task.roundCount)
    case .process: 0.02 * Double(task.roundCount)
    case .start: 0.03 * Double(task.roundCount)
    }
  }
}

extension ComparedItem {
  /// Runs all rounds of a task under each allocator. An allocator that fails is left out of the later rounds.
  static func measure(
    _ task: ComparisonPlan.Task, under allocators: [ComparedAllocator], driver: DriverProcess,
    _ show: (_ allocator: String, _ share: Double) -> Void
  ) async -> ComparedItem {
    var item = ComparedItem(name: task.name, kind: task.kind)
    for allocator in allocators { item.runs[allocator.name] = AllocatorRuns() }
    do {
      try task.prepare?()
    } catch {
      for allocator in allocators { item.runs[allocator.name]?.failure = "\(error)" }
      return item
    }
    for round in 0..<task.roundCount {
      for allocator in allocators.rotated(by: round) where item.runs[allocator.name]?.failure == nil {
        guard !Task.isCancelled else { return item }
        show(allocator.name, Double(round) / Double(task.roundCount))
        do {
          item.runs[allocator.name]?.figures.append(try await driver.run(task.command, under: allocator))
        } catch {
          item.runs[allocator.name]?.failure = "\(error)"
        }
      }
    }
    return item
  }
}

extension Array {
  /// The elements in their order, starting at `offset` modulo the count.
  func rotated(by offset: Int) -> [Element] {
    isEmpty ? [] : Array(self[(offset % count)...] + self[..<(offset % count)])
  }
}
