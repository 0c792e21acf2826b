import Testing

@testable import HeapBenchKit

@Suite struct SpellingTests {
  @Test(arguments: [
    ("", "", 0), ("threads", "threads", 0), ("thread", "threads", 1), ("unifrom", "uniform", 1),
    ("kitten", "sitting", 3), ("", "abc", 3),
  ]) func theDistanceCountsInsertionsRemovalsReplacementsAndSwaps(_ a: String, _ b: String, distance: Int) {
    #expect(Spelling.distance(a, b) == distance)
    #expect(Spelling.distance(b, a) == distance)
  }

  @Test func onlyANearNameIsSuggested() {
    let names = ["web-server", "sawtooth", "compiler"]
    #expect(Spelling.nearest(to: "websever", among: names) == "web-server")
    #expect(Spelling.nearest(to: "SAWTOOTH", among: names) == "sawtooth")
    #expect(Spelling.nearest(to: "comp", among: names) == "compiler")
    #expect(Spelling.nearest(to: "python", among: names) == nil)
    #expect(Spelling.suggestion(for: "python", among: names) == "")
    #expect(Spelling.suggestion(for: "sawtoth", among: names) == "; did you mean 'sawtooth'?")
  }
}
