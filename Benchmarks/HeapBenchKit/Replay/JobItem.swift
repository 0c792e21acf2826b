/// One workload of a job, which is loaded when its turn comes.
public struct JobItem: Sendable {
  /// The profile's or the trace's name.
  public let name: String

  /// The approximate number of steps, known without loading the workload: for the progress bar.
  public let estimatedStepCount: Int

  /// Whether the workload is a worst case made against a policy, and not a program's behaviour.
  public let isAdversary: Bool

  /// Loads or generates the workload; throws an error whose description is one line with the file and the remedy.
  public let load: @Sendable () throws -> Workload

  /// An item of this name.
  public init(
    name: String, estimatedStepCount: Int, isAdversary: Bool = false, load: @escaping @Sendable () throws -> Workload
  ) {
    self.isAdversary = isAdversary
    self.name = name
    self.estimatedStepCount = estimatedStepCount
    self.load = load
  }
}
