import Foundation
import LabTestSupport
import Testing

@testable import HeapBenchKit

@Suite struct ReproducibleMathTests {
  @Test(arguments: 0..<8) func theLogarithmIsTheLibrarys(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var worst = 0.0
    for _ in 0..<2000 {
      let x =
        Double.random(in: 1...2, using: &generator) * Foundation.pow(2, Double.random(in: -60...60, using: &generator))
      let expected = Foundation.log(x)
      worst = max(worst, abs(ReproducibleMath.log(x) - expected) / max(1, abs(expected)))
    }
    #expect(worst <= 4e-16, "seed \(seed)")
  }

  @Test(arguments: 0..<8) func theExponentialIsTheLibrarys(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var worst = 0.0
    for _ in 0..<2000 {
      let x = Double.random(in: -50...50, using: &generator)
      let expected = Foundation.exp(x)
      worst = max(worst, abs(ReproducibleMath.exp(x) - expected) / expected)
    }
    #expect(worst <= 1e-15, "seed \(seed)")
  }

  @Test func theEdgesAreExact() {
    #expect(ReproducibleMath.log(1) == 0)
    #expect(ReproducibleMath.exp(0) == 1)
    #expect(ReproducibleMath.power(2, 10) == 1024)
    #expect(ReproducibleMath.log(.leastNormalMagnitude).isFinite)
    #expect(ReproducibleMath.log(0x1p-53) == -36.7368005696771)
  }

  /// A hash of the results' bits, which must be the same on every machine.
  @Test func theBitsAreFixed() {
    var hash: UInt64 = 0
    for k in 1...1000 {
      let x = Double(k) / 7
      hash = hash &* 31 &+ ReproducibleMath.log(x).bitPattern
      hash = hash &* 31 &+ ReproducibleMath.exp(x).bitPattern
    }
    #expect(hash == 12_284_943_331_044_128_431)
  }
}
