import Testing

/// The proof that the index changes nothing: for any sequence of operations the heap gives the addresses that a walk
/// along the list of holes gives.
@Suite struct ExactnessTests {
  @Test(arguments: OperationMix.allCases)
  func agreesWithListWalk(_ mix: OperationMix) throws {
    var duel = FirstFitDuel(mix, seed: 2026)
    #expect(try duel.run(steps: 6000, checkingEvery: 500))
    #expect(try duel.finish())
  }
}
