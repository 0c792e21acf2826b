import FirstFitHeap
import Foundation

/// What allocate + deallocate costs among 10 to 1,000,000 holes, first fit with its index beside a plain list.
public struct HoleCurve: Hashable, Sendable, Codable {
  /// The cost among so many holes.
  public struct Point: Hashable, Sendable, Codable {
    /// How many holes there are.
    public let holeCount: Int
    /// Nanoseconds of processor time of one allocate + deallocate, the median of interleaved rounds; absent where it
    /// was too slow.
    public var nanoseconds: [String: Double] = [:]
  }

  /// The policies that are compared, in this order.
  public static let policies = ["firstfit", "list"]

  /// The numbers of holes: two for each power of ten.
  public static let holeCounts = [10, 32, 100, 316, 1000, 3162, 10_000, 31_623, 100_000, 316_228, 1_000_000]

  /// Interleaved rounds at each number of holes.
  public static let roundCount = 11

  /// One pair may take so long; a policy that is slower leaves the rest of the curve.
  static let slowestPairNanoseconds: UInt64 = 100_000_000

  /// The points measured.
  public internal(set) var points: [Point] = []

  /// Whether all points were measured.
  public internal(set) var isComplete = false

  /// The cost at one number of holes, nil where it was not measured.
  public func nanoseconds(_ policy: String, holeCount: Int) -> Double? {
    points.first { $0.holeCount == holeCount }?.nanoseconds[policy]
  }

  /// How many times as much 1,000,000 holes cost as 1,000, nil where one was not measured.
  public func growth(of policy: String) -> Double? {
    guard let many = nanoseconds(policy, holeCount: 1_000_000), let few = nanoseconds(policy, holeCount: 1000) else {
      return nil
    }
    return many / few
  }

  /// Measures, until done or the task is cancelled.
  public static func measure(
    seed: UInt64, holeCounts: [Int] = holeCounts, progress: any ProgressMeter
  ) throws(MeasurementFailure) -> HoleCurve {
    var curve = HoleCurve()
    var tooSlow: Set<String> = []
    // The list's cost rises with the holes, and with it the time for each point, up to a limit.
    progress.begin(weights: holeCounts.map { 20_000 + Double($0) })
    for holeCount in holeCounts {
      progress.show("\(Figure.count(holeCount)) holes")
      guard let point = try curve.point(holeCount: holeCount, seed: seed, tooSlow: &tooSlow) else { break }
      curve.points.append(point)
      progress.completeWorkload()
    }
    progress.end()
    curve.isComplete = curve.points.count == holeCounts.count
    return curve
  }

  /// One number of holes; nil when the task was cancelled.
  private func point(
    holeCount: Int, seed: UInt64, tooSlow: inout Set<String>
  ) throws(MeasurementFailure) -> Point? {
    // Both heaps have the same blocks; the yardstick is left out of memory that it has no more use for.
    let byteCount = HoleField<FirstFitHeap>.byteCount(holeCount: holeCount)
    let memory = try ReplayMemory(byteCount: byteCount, isPinned: true, wantsHugePages: true)
    let listMemory = try ReplayMemory(byteCount: byteCount, isPinned: true, wantsHugePages: true)
    var fields: [(policy: String, field: any HoleSearch)] = [
      ("firstfit", HoleField<FirstFitHeap>(over: memory.range, holeCount: holeCount, seed: seed))
    ]
    if !tooSlow.contains("list") {
      fields.append(("list", HoleField<PlainListHeap>(over: listMemory.range, holeCount: holeCount, seed: seed)))
    }
    var pairCounts: [Int] = []
    for (policy, field) in fields {
      // The first pairs also warm the caches. A round takes some two milliseconds, but at least 16 pairs.
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
