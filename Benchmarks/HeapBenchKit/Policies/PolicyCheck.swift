import Foundation

// Random requests are made of a policy and of a model, the shadow heap, which knows what must hold for each answer. The
// requests follow from a seed, so a mistake can be seen again, and with fewer requests: the search for the shortest run
// halves their number as long as the mistake is still there.
//
// A policy may also trap or never return. So each run has a process of its own, with a time limit.

/// The check of a policy against the shadow heap.
public struct PolicyCheck: Sendable {
  /// Random requests, which the seed decides.
  public struct Requests: Sendable, Codable {
    /// The seed.
    public var seed: UInt64
    /// How many requests are made.
    public var count: Int

    /// Requests of a seed.
    public init(seed: UInt64, count: Int) {
      self.seed = seed
      self.count = count
    }

    /// The blocks that are about live, and the most bytes of one. Seeds take turns between many small and few large ones.
    var liveCount: Int { seed % 2 == 0 ? 60 : 500 }
    var largestByteCount: UInt { seed % 2 == 0 ? 300_000 : 3000 }
  }

  /// A mistake of a policy.
  public struct Mistake: Error, Sendable, CustomStringConvertible {
    let policy: String
    let requests: Requests
    let finding: String

    public var description: String {
      "policy '\(policy)': \(finding); to see it again: heapbench check --policy \(policy) --seed \(requests.seed) "
        + "--requests \(requests.count)"
    }
  }

  /// The memory that a policy gets.
  private static let byteCount: UInt = 256 << 20

  /// The finding of one run; nil when everything held.
  private let finding: @Sendable (Requests) throws -> String?
  private let policy: String

  /// The check of a policy that receives its memory, by `finding`: how a run ended, in this process or in another.
  public init(_ policy: Policy, finding: @escaping @Sendable (Requests) throws -> String?) {
    self.policy = policy.name
    self.finding = finding
  }

  /// The finding of a run in this process; nil when everything held. Traps when the policy does.
  ///
  /// - Throws: ``MeasurementFailure`` where the memory cannot be had.
  public static func finding(of policy: Policy, _ requests: Requests) throws -> String? {
    let memory = try ReplayMemory(byteCount: byteCount, isPinned: false)
    return policy.findMistake?(requests, memory.range)
  }

  /// Makes the requests.
  ///
  /// - Throws: ``Mistake`` with the fewest requests that show one, as far as halving finds them.
  public func run(_ requests: Requests) throws {
    guard var found = try finding(requests) else { return }
    var shown = requests
    var low = 0
    while low + 1 < shown.count {
      let fewer = Requests(seed: requests.seed, count: (low + shown.count) / 2)
      if let finding = try finding(fewer) {
        (shown, found) = (fewer, finding)
      } else {
        low = fewer.count
      }
    }
    throw Mistake(policy: policy, requests: shown, finding: found)
  }
}
