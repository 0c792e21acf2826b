import FirstFitHeap

/// The cost of allocate + deallocate among 10 to 1,000,000 holes: first fit with its index beside a plain list.
public struct HoleCurve: Hashable, Sendable, Codable {
  /// The cost at one number of holes.
  public struct Point: Hashable, Sendable, Codable {
    /// The number of holes.
    public let holeCount: Int
    /// The nanoseconds of processor time for one allocate + deallocate, by policy: the median of interleaved rounds. A
    /// policy that was too slow is absent.
    public var nanoseconds: [String: Double] = [:]
  }

  /// The policies that are compared, in this order.
  public static let policies = ["firstfit", PolicyCatalog.plainList]

  /// The numbers of holes: two for each power of ten.
  public static let holeCounts = [10, 32, 100, 316, 1000, 3162, 10_000, 31_623, 100_000, 316_228, 1_000_000]

  /// The number of interleaved rounds at each number of holes.
  public static let roundCount = 11

  /// The longest time for one pair. A slower policy is left out of the rest of the curve.
  static let slowestPairNanoseconds: UInt64 = 100_000_000

  /// The points measured so far.
  public internal(set) var points: [Point] = []

  /// Whether all points were measured.
  public internal(set) var isComplete = false

  /// The cost at one number of holes; nil where it was not measured.
  public func nanoseconds(_ policy: String, holeCount: Int) -> Double? {
    points.first { $0.holeCount == holeCount }?.nanoseconds[policy]
  }

  /// The cost at 1,000,000 holes over the cost at 1,000; nil where one of them was not measured.
  public func growth(of policy: String) -> Double? {
    guard let many = nanoseconds(policy, holeCount: 1_000_000), let few = nanoseconds(policy, holeCount: 1000) else {
      return nil
    }
    return many / few
  }

  /// Measures the curve; a partial one when the task is cancelled.
  public static func measure(
    seed: UInt64, holeCounts: [Int] = holeCounts, progress: any ProgressMeter
  ) throws(MeasurementFailure) -> HoleCurve {
    var curve = HoleCurve()
    var tooSlow: Set<String> = []
    // The list's cost rises with the number of holes, and the time for each point rises with it, up to a limit.
    progress.begin(weights: holeCounts.map { 20_000 + Double($0) })
    for holeCount in holeCounts {
      progress.show(Figure.count(holeCount, "hole"))
      guard let point = try curve.point(holeCount: holeCount, seed: seed, tooSlow: &tooSlow) else { break }
      curve.points.append(point)
      progress.completeWorkload()
    }
    progress.end()
    curve.isComplete = curve.points.count == holeCounts.count
    return curve
  }

  /// Measures one point; nil when the task was cancelled.
  private func point(
    holeCount: Int, seed: UInt64, tooSlow: inout Set<String>
  ) throws(MeasurementFailure) -> Point? {
    // Both heaps have the same blocks. The list gets none once it is too slow.
    let byteCount = HoleField<FirstFitHeap>.byteCount(holeCount: holeCount)
    let memory = try ReplayMemory(byteCount: byteCount, isPinned: true, wantsHugePages: true)
    let listMemory = try ReplayMemory(byteCount: byteCount, isPinned: true, wantsHugePages: true)
    var fields: [(policy: String, field: any HoleSearch)] = [
      ("firstfit", HoleField<FirstFitHeap>(over: memory.range, holeCount: holeCount, seed: seed))
    ]
    if !tooSlow.contains(PolicyCatalog.plainList) {
      let field = HoleField<PlainListHeap>(over: listMemory.range, holeCount: holeCount, seed: seed)
      fields.append((PolicyCatalog.plainList, field))
    }
    var pairCounts: [Int] = []
    for (policy, field) in fields {
      // The first pairs also warm the caches. A round takes about two milliseconds, and has at least 16 pairs.
      let pair = max(1, field.nanoseconds(pairCount: 16) / 16)
      if pair > Self.slowestPairNanoseconds { tooSlow.insert(policy) }
      pairCounts.append(Int(min(max(2_000_000 / pair, 16), 100_000)))
    }
    var rounds = [[Double]](repeating: [], count: fields.count)
    for _ in 0..<Self.roundCount {
      for (index, (policy, field)) in fields.enumerated() where !tooSlow.contains(policy) {
        if Task.isCancelled { return nil }
        let nanoseconds = field.nanoseconds(pairCount: pairCounts[index])
        rounds[index].append(Double(nanoseconds) / Double(pairCounts[index]))
      }
    }
    var point = Point(holeCount: holeCount)
    for (index, (policy, _)) in fields.enumerated() { point.nanoseconds[policy] = rounds[index].median }
    return point
  }
}
