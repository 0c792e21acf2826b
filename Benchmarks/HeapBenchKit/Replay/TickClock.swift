import CLabBench

/// The processor's counter as a clock, calibrated against CLOCK_MONOTONIC.
struct TickClock: Sendable {
  /// Nanoseconds that one tick takes.
  let nanosecondsPerTick: Double

  /// What two readings in a row differ by, in the median: what every latency has too much.
  let overheadTicks: UInt64

  /// The ticks now.
  @inline(__always) static var now: UInt64 { lab_clock_ticks() }

  /// The difference that two readings show when they show any, in nanoseconds: on some machines the counter advances
  /// in steps.
  let resolutionNanoseconds: Double

  /// Calibrates for some ten milliseconds.
  init() {
    var differences = [UInt64](repeating: 0, count: 1001)
    for index in differences.indices {
      let start = Self.now
      differences[index] = Self.now &- start
    }
    overheadTicks = differences.sorted()[differences.count / 2]
    let startNanoseconds = lab_clock_nanoseconds()
    let startTicks = Self.now
    var nanoseconds: UInt64 = 0
    repeat { nanoseconds = lab_clock_nanoseconds() - startNanoseconds } while nanoseconds < 10_000_000
    nanosecondsPerTick = Double(nanoseconds) / Double(Self.now &- startTicks)
    let steps = differences.filter { $0 > 0 }.sorted()
    resolutionNanoseconds = Double(steps.isEmpty ? 1 : steps[steps.count / 2]) * nanosecondsPerTick
  }

  /// A difference of two readings in nanoseconds, without the reading's own cost.
  @inline(__always) func nanoseconds(_ ticks: UInt64) -> UInt64 {
    UInt64(Double(ticks > overheadTicks ? ticks - overheadTicks : 0) * nanosecondsPerTick)
  }

  /// The reading's own cost in nanoseconds.
  var overheadNanoseconds: Double { Double(overheadTicks) * nanosecondsPerTick }
}
