import FirstFitHeap
import Foundation
import Testing

/// Shows that the index changes nothing: for any sequence of operations the heap returns the addresses that a walk
/// along the list of holes returns.
@Suite struct ExactnessTests {
  @Test(arguments: OperationMix.allCases, [.tree, .table] as [FirstFitSearch])
  func agreesWithListWalk(_ mix: OperationMix, search: FirstFitSearch) throws {
    for seed in [1, 2026] as [UInt64] {
      var duel = FirstFitDuel(mix, search: search, seed: seed)
      #expect(try duel.run(steps: 15_000, checkingEvery: 1000))
      #expect(try duel.finish())
    }
  }

  /// Ten million operations, spread evenly over the mixes. `scripts/soak` runs it in a release build.
  @Test(.enabled(if: Soak.operationCount > 0), arguments: OperationMix.allCases, [.tree, .table] as [FirstFitSearch])
  func soak(_ mix: OperationMix, search: FirstFitSearch) throws {
    let runCount = 2 * OperationMix.allCases.count
    let count = (Soak.operationCount + runCount - 1) / runCount
    let start = ContinuousClock.now
    var duel = FirstFitDuel(mix, search: search, seed: Soak.seed)
    let agreed = try duel.run(steps: count, checkingEvery: 10_000)
    let outcome = agreed ? "identical addresses" : "DIFFERENT"
    let line = duel.summary
    #expect(agreed)
    #expect(try duel.finish())
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    print(
      "soak \(mix.rawValue)/\(search): \(count) operations, \(outcome), \(line), seed \(Soak.seed), \(Int(seconds.rounded(.up))) s"
    )
  }
}

/// The environment's settings for the long run.
private enum Soak {
  static let operationCount = number("HEAPLAB_SOAK_OPERATIONS") ?? 0
  static let seed = UInt64(number("HEAPLAB_SOAK_SEED") ?? 1)

  private static func number(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap(Int.init)
  }
}
