import CLabBench

// Not every machine has a counter that runs evenly. A thread that moves to another processor may see the counter step
// back, a virtual machine may stop it, and a tick may be a nanosecond or longer. A difference is therefore read as a
// signed number, and a step back counts as no time at all: unsigned it would be nearly 2^64 ticks.

/// The processor's counter as a clock, calibrated against CLOCK_MONOTONIC.
struct TickClock: Sendable {
  /// The nanoseconds of one tick, finite and above 0.
  let nanosecondsPerTick: Double

  /// The median difference of two successive readings: what every latency contains beside the call itself.
  let overheadTicks: UInt64

  /// The median difference of two successive readings that differ, in nanoseconds: the step in which the counter
  /// advances, where that is longer than a reading.
  let resolutionNanoseconds: Double

  /// The ticks now.
  @inline(__always) static var now: UInt64 { lab_clock_ticks() }

  /// The ticks between two readings; 0 where the counter stepped back.
  @inline(__always) static func ticks(from start: UInt64, to end: UInt64) -> UInt64 {
    UInt64(max(0, Int64(bitPattern: end &- start)))
  }

  /// Calibrates for about ten milliseconds.
  init() {
    var overheads = [UInt64](repeating: 0, count: 1001)
    for index in overheads.indices {
      let start = Self.now
      overheads[index] = Self.ticks(from: start, to: Self.now)
    }
    let startNanoseconds = lab_clock_nanoseconds()
    let startTicks = Self.now
    var nanoseconds: UInt64 = 0
    repeat { nanoseconds = lab_clock_nanoseconds() - startNanoseconds } while nanoseconds < 10_000_000
    self.init(overheads: overheads, nanoseconds: nanoseconds, ticks: Self.ticks(from: startTicks, to: Self.now))
  }

  /// A clock from calibration readings.
  ///
  /// A counter that did not advance is taken to be about to: its tick is then as long as the calibration was.
  ///
  /// - Parameters:
  ///   - overheads: Differences of two successive readings, in ticks; at least one.
  ///   - nanoseconds: How long the calibration took, above 0.
  ///   - ticks: How far the counter advanced meanwhile.
  init(overheads: [UInt64], nanoseconds: UInt64, ticks: UInt64) {
    let sorted = overheads.sorted()
    overheadTicks = sorted[sorted.count / 2]
    nanosecondsPerTick = Double(nanoseconds) / Double(max(1, ticks))
    let steps = sorted.drop { $0 == 0 }
    resolutionNanoseconds = Double(steps.isEmpty ? 1 : steps[steps.startIndex + steps.count / 2]) * nanosecondsPerTick
  }

  /// The nanoseconds between two readings without the clock's own overhead, at most 2^63.
  @inline(__always) func nanoseconds(from start: UInt64, to end: UInt64) -> UInt64 {
    let ticks = Self.ticks(from: start, to: end)
    let nanoseconds = Double(ticks - min(ticks, overheadTicks)) * nanosecondsPerTick
    return UInt64(min(nanoseconds, 0x1p63))
  }

  /// The clock's own overhead in nanoseconds.
  var overheadNanoseconds: Double { Double(overheadTicks) * nanosecondsPerTick }
}
