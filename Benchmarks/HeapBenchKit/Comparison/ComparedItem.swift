/// A workload with its runs under every allocator.
public struct ComparedItem: Codable, Hashable, Sendable {
  /// What is compared.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// Time for each operation.
    case speed
    /// Resident memory beside live bytes.
    case footprint
    /// Resident memory of threads that sleep.
    case idle
    /// The slowest single call.
    case stall
    /// The distribution of single calls' times.
    case latency
    /// A real program: processor time and peak resident memory.
    case program
    /// The resident memory of a whole process that hardly allocates.
    case process
    /// The start and end of a program that does nothing.
    case start
  }

  /// The workload's name.
  public let name: String
  /// What is compared.
  public let kind: Kind
  /// The runs under each allocator, by the allocator's name.
  public internal(set) var runs: [String: AllocatorRuns] = [:]

  /// The nanoseconds for each operation, in every round; nil when there are no rounds or one failed.
  func times(of allocator: String) -> [Double]? {
    guard let runs = runs[allocator], runs.failure == nil, !runs.figures.isEmpty else { return nil }
    return runs.figures.map(\.nanosecondsPerOperation)
  }

  /// Whether a run under an allocator failed.
  func hasFailure(of allocator: String) -> Bool { runs[allocator]?.failure != nil }

  /// One allocator's time over another's.
  func timeRatio(_ own: String, over reference: String) -> RatioSpread? {
    guard let own = times(of: own), let reference = times(of: reference) else { return nil }
    return RatioSpread(own, over: reference)
  }

  /// A figure's median over the rounds; nil when it does not exist or a run failed.
  func median(of allocator: String, _ figure: (DriverFigures) -> Double?) -> Double? {
    runs[allocator]?.median(figure)
  }

  /// The allocator with the least figure, among those named.
  func best(among allocators: [String], _ figure: (DriverFigures) -> Double?) -> (name: String, value: Double)? {
    allocators.compactMap { name in median(of: name, figure).map { (name: name, value: $0) } }
      .min { $0.value < $1.value }
  }
}
