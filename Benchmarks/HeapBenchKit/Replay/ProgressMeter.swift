/// Shows the progress of a running job.
public protocol ProgressMeter: Sendable {
  /// Starts a job; `weights` holds the expected time of each workload, in any unit.
  func begin(weights: [Double])
  /// Shows what runs now; `share` of the current workload is done.
  func show(_ what: String, share: Double)
  /// Completes the current workload.
  func completeWorkload()
  /// Ends the job.
  func end()
}

extension ProgressMeter {
  /// Shows what runs now, at the start of a workload.
  func show(_ what: String) { show(what, share: 0) }
}

/// Shows nothing.
public struct NoProgress: ProgressMeter {
  public init() {}
  public func begin(weights: [Double]) {}
  public func show(_ what: String, share: Double) {}
  public func completeWorkload() {}
  public func end() {}
}
