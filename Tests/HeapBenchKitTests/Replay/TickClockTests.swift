import Testing

@testable import HeapBenchKit

@Suite struct TickClockTests {
  /// A counter of three ticks a nanosecond.
  private let fast = TickClock(overheads: [60, 60, 63], nanoseconds: 10_000_000, ticks: 30_000_000)
  /// A counter with ticks of 54 ns, as on some ARM boards.
  private let slow = TickClock(overheads: [0, 0, 1], nanoseconds: 10_800_000, ticks: 200_000)

  @Test func theClocksOwnOverheadIsNotCounted() {
    #expect(fast.overheadTicks == 60)
    #expect(fast.nanoseconds(from: 1000, to: 1000 + 60 + 300) == 100)
    #expect(fast.nanoseconds(from: 1000, to: 1059) == 0)
    #expect(slow.nanoseconds(from: 7, to: 9) == 108)
  }

  @Test func theCounterMayWrapAround() {
    #expect(fast.nanoseconds(from: .max - 59, to: 300) == 100)
  }

  /// As an unsigned number, the difference would be nearly 2^64 ticks. With ticks of a nanosecond or longer, no
  /// `UInt64` holds as many nanoseconds.
  @Test func aCounterThatStepsBackMeasuresNothing() {
    for clock in [fast, slow] {
      #expect(clock.nanoseconds(from: 1000, to: 999) == 0)
      #expect(clock.nanoseconds(from: .max, to: .max - 1_000_000) == 0)
    }
  }

  @Test func noDifferenceIsTooLong() {
    #expect(slow.nanoseconds(from: 0, to: UInt64.max / 2) == 1 << 63)
    #expect(fast.nanoseconds(from: 0, to: UInt64.max / 2) > 1 << 60)
  }

  @Test func aCounterThatStandsStillTellsNothingShorterThanItsCalibration() {
    let clock = TickClock(overheads: [0, 0, 0], nanoseconds: 10_000_000, ticks: 0)
    #expect(clock.nanosecondsPerTick == 10_000_000)
    #expect(clock.resolutionNanoseconds == 10_000_000)
    #expect(clock.nanoseconds(from: 5, to: 5) == 0)
    #expect(clock.overheadNanoseconds == 0)
  }

  @Test func theResolutionIsTheMedianOfTheDifferencesThatAreNotZero() {
    #expect(TickClock(overheads: [0, 40, 0, 20, 0, 20, 0], nanoseconds: 100, ticks: 100).resolutionNanoseconds == 20)
    #expect(slow.resolutionNanoseconds == 54)
  }

  @Test func thisMachinesClockIsCalibrated() {
    let clock = TickClock()
    #expect(clock.nanosecondsPerTick > 0 && clock.nanosecondsPerTick.isFinite)
    #expect(clock.resolutionNanoseconds > 0 && clock.resolutionNanoseconds.isFinite)
    let start = TickClock.now
    #expect(clock.nanoseconds(from: start, to: TickClock.now) < 60_000_000_000)
  }
}
