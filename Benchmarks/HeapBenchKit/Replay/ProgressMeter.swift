/// Hears from a running job how far it is.
public protocol ProgressMeter: Sendable {
  /// The job starts, with what each workload weighs.
  func begin(weights: [Double])
  /// What runs now; the current workload is done to `share`.
  func show(_ what: String, share: Double)
  /// The current workload is done.
  func completeWorkload()
  /// The job is over.
  func end()
}

extension ProgressMeter {
  /// What runs now, at the start of a workload.
  func show(_ what: String) { show(what, share: 0) }
}

/// Tells nobody.
public struct NoProgress: ProgressMeter {
  public init() {}
  public func begin(weights: [Double]) {}
  public func show(_ what: String, share: Double) {}
  public func completeWorkload() {}
  public func end() {}
}
