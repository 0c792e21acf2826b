/// A workload prepared for replay: its facts, and its steps in memory that child processes can map.
///
/// The preparation walks the steps once in global order, with an ideal heap. It writes into each step what the step's
/// thread cannot know by itself: the object's previous size, and the number of earlier steps with the object.
public struct ReplayPlan: Sendable {
  /// The workload's name.
  public let name: String
  /// One sentence on whose behaviour this is.
  public let summary: String
  /// The facts about the workload.
  public let facts: WorkloadFacts

  /// The steps in memory; nil where they stream from ``trace``.
  let sharedSteps: SharedSteps?

  /// The trace that the steps are read from.
  let trace: TraceFile?

  /// The steps in memory. Traps for a plan that streams.
  var steps: SharedSteps {
    guard let sharedSteps else { preconditionFailure("the steps of '\(name)' stream, and are not in memory") }
    return sharedSteps
  }

  /// Prepares a workload. Traps when its steps break the promises of ``Workload``.
  public init(_ workload: Workload) throws(MeasurementFailure) {
    name = workload.name
    summary = workload.summary
    let steps = try SharedSteps(count: workload.steps.count)
    var preparation = ReplayPreparation(
      threadCount: workload.threadCount, objectCount: workload.objectCount, stepCount: workload.steps.count)
    for (position, step) in workload.steps.enumerated() {
      steps[position] = preparation.prepare(step, at: position)
    }
    sharedSteps = steps
    trace = nil
    facts = preparation.finish()
  }

  /// Prepares a trace whose steps are read again at each replay: memory is bounded by the live objects.
  ///
  /// - Throws: ``TraceFileError``.
  /// - Complexity: O(*n*) for *n* events.
  public init(streaming trace: TraceFile) throws(TraceFileError) {
    name = trace.name
    summary = trace.summary
    sharedSteps = nil
    self.trace = trace
    var preparation = ReplayPreparation()
    var stepCount = 0
    try trace.forEachStep { step in
      _ = preparation.prepare(step, at: stepCount)
      stepCount += 1
      return true
    }
    facts = preparation.finish()
  }

  /// Passes the steps in global order to `body`, until that says false.
  func forEachStep(_ body: (Int, ReplayStep) -> Bool) throws(MeasurementFailure) {
    guard let trace else {
      for position in 0..<facts.stepCount {
        if !body(position, steps[position]) { return }
      }
      return
    }
    var preparation = ReplayPreparation()
    var position = 0
    do throws(TraceFileError) {
      try trace.forEachStep { step in
        defer { position += 1 }
        return body(position, preparation.prepare(step, at: position))
      }
    } catch {
      throw MeasurementFailure("\(error)")
    }
  }

  /// The plan that another process prepared, over the steps that it shares.
  init(name: String, facts: WorkloadFacts, sharedAt path: String) throws(MeasurementFailure) {
    self.name = name
    summary = ""
    self.facts = facts
    trace = nil
    sharedSteps = try SharedSteps(mapping: path, count: facts.stepCount)
  }

  /// The plan of a trace that another process has read.
  init(name: String, facts: WorkloadFacts, traceAt path: String) throws(MeasurementFailure) {
    self.name = name
    summary = ""
    self.facts = facts
    sharedSteps = nil
    do throws(TraceFileError) {
      trace = try TraceFile(path: path)
    } catch {
      throw MeasurementFailure("\(error)")
    }
  }
}
