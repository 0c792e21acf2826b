/// One workload of a job: known by name at once, loaded when its turn comes.
public struct JobItem: Sendable {
  /// The profile's or the trace's name.
  public let name: String

  /// About how many steps it has, as far as can be told without loading it: for the progress bar.
  public let estimatedStepCount: Int

  /// Whether it is a worst case made against a policy rather than a program's behaviour.
  public let isAdversary: Bool

  /// Loads or generates it; throws an error whose description is one line with file and remedy.
  public let load: @Sendable () throws -> Workload

  /// An item.
  public init(
    name: String, estimatedStepCount: Int, isAdversary: Bool = false, load: @escaping @Sendable () throws -> Workload
  ) {
    self.isAdversary = isAdversary
    self.name = name
    self.estimatedStepCount = estimatedStepCount
    self.load = load
  }
}
