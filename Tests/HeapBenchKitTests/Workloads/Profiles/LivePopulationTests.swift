import LabTestSupport
import Testing

@testable import HeapBenchKit

@Suite struct LivePopulationTests {
  @Test(arguments: 0..<8) func objectsLeaveInTheOrderOfTheirKeys(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var population = LivePopulation()
    var model: [(key: UInt64, object: UInt32, byteCount: UInt64)] = []
    for object in 0..<2000 as Range<UInt32> {
      let key = UInt64.random(in: 0..<500, using: &generator)
      population.insert(LivePopulation.Entry(deathKey: key, object: object, byteCount: UInt64(object)))
      model.append((key, object, UInt64(object)))
      if Bool.random(using: &generator), let first = model.min(by: { ($0.key, $0.object) < ($1.key, $1.object) }) {
        #expect(population.removeFirst().object == first.object, "seed \(seed)")
        model.removeAll { $0.object == first.object }
      }
      #expect(population.count == model.count)
      #expect(population.byteCount == model.reduce(0) { $0 + $1.byteCount }, "seed \(seed)")
    }
    #expect(population.clock == 2000)
  }

  @Test func resizingCountsBytesAndKeepsTheOrder() {
    var population = LivePopulation()
    population.insert(LivePopulation.Entry(deathKey: 1, object: 0, byteCount: 10))
    population.insert(LivePopulation.Entry(deathKey: 2, object: 1, byteCount: 20))
    population.resize(at: 0, to: 5)
    #expect(population.byteCount == 25)
    #expect(population.removeFirst().object == 0)
    #expect(population.byteCount == 20)
    #expect(!population.isEmpty)
  }
}
