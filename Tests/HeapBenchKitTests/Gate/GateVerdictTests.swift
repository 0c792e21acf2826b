import Testing

@testable import HeapBenchKit

/// How far a figure may change, and which change is an improvement.
@Suite struct GateVerdictTests {
  private func verdict(
    _ baseline: Double, _ now: Double, _ tolerance: GateTolerance, _ better: GateFigure.Direction = .less
  ) -> GateVerdict {
    GateVerdict(GateFigure("a/b", tolerance, better: better, dependsOn: []), baseline: baseline, now: now)
  }

  @Test func aToleranceEndsWhereItSays() {
    #expect(verdict(100, 102, .percent(2)) == .holds)
    #expect(verdict(100, 102.1, .percent(2)) == .worse)
    #expect(verdict(100, 98, .percent(2)) == .holds)
    #expect(verdict(100, 97.9, .percent(2)) == .better)
  }

  @Test func exactAllowsNothing() {
    #expect(verdict(4096, 4096, .exact) == .holds)
    #expect(verdict(4096, 4097, .exact) == .worse)
    #expect(verdict(0.123456, 0.123457, .exact) == .worse)
    #expect(verdict(0, 0, .exact) == .holds)
    #expect(verdict(0, 1, .exact) == .worse)
  }

  @Test func aMarginHelpsSmallNumbersAlone() {
    #expect(verdict(10, 14, .percent(3, orAtLeast: 4)) == .holds)
    #expect(verdict(10, 15, .percent(3, orAtLeast: 4)) == .worse)
    #expect(verdict(1000, 1030, .percent(3, orAtLeast: 4)) == .holds)
    #expect(verdict(1000, 1031, .percent(3, orAtLeast: 4)) == .worse)
  }

  @Test func directionsDecideWhatIsWorse() {
    #expect(verdict(10, 20, .exact, .more) == .better)
    #expect(verdict(10, 5, .exact, .more) == .worse)
    #expect(verdict(10, 11, .exact, .neither) == .moved)
    #expect(verdict(10, 9, .exact, .neither) == .moved)
    // A negative figure, such as a fragmentation index, has a tolerance too.
    #expect(verdict(-1, -0.99, .percent(2)) == .holds)
    #expect(verdict(-1, -0.9, .percent(2)) == .worse)
  }

  @Test func everyVerdictFailsOrIsIncompleteOrPasses() {
    let passing: [GateVerdict] = [.holds, .better, .foreign, .undecided]
    for verdict in passing + [.worse, .moved, .new, .unknown, .unmeasured] {
      #expect((verdict.isRegression || verdict.isIncomplete) != passing.contains(verdict))
      #expect(!(verdict.isRegression && verdict.isIncomplete))
    }
  }

  @Test func numbersAndChangesAreShort() {
    #expect(GateNumber.text(44.17) == "44.17")
    #expect(GateNumber.text(0.57) == "0.57")
    #expect(GateNumber.text(180_632) == "180,632")
    #expect(GateNumber.text(22_755_768.9) == "22,755,769")
    #expect(GateNumber.text(-1) == "-1")
    #expect(GateNumber.text(100.5) == "100.5")
    #expect(GateNumber.change(from: 40, to: 42) == "+5.00%")
    #expect(GateNumber.change(from: 40, to: 30) == "−25%")
    #expect(GateNumber.change(from: 0, to: 3) == "+3")
    #expect(GateNumber.change(from: 1e9, to: 1e9 + 1) == "+<0.01%")
    #expect(GateTolerance.percent(3, orAtLeast: 4).description == "3.0% or 4")
  }
}
