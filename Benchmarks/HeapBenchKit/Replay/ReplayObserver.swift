import Histogram

/// What a timed replay watches while one of its threads takes steps; one for each thread.
protocol ReplayObserver {
  /// Whether ``granted(usableByteCount:requestedByteCount:)`` is of interest.
  static var countsGrants: Bool { get }
  /// Right before a call of the allocator.
  mutating func callBegins()
  /// Right after it.
  mutating func callEnds()
  /// After a step, at its place in the global order.
  mutating func stepTaken(at position: Int)
  /// After a request that got a block with so many usable bytes.
  mutating func granted(usableByteCount: UInt, requestedByteCount: UInt)
}

extension ReplayObserver {
  static var countsGrants: Bool { false }
  @inline(__always) mutating func callBegins() {}
  @inline(__always) mutating func callEnds() {}
  @inline(__always) mutating func stepTaken(at position: Int) {}
  @inline(__always) mutating func granted(usableByteCount: UInt, requestedByteCount: UInt) {}
}

/// Watches nothing: for throughput, timed from outside.
struct NoObserver: ReplayObserver {}

/// Times every call.
struct LatencyObserver: ReplayObserver {
  /// A minute: a longer call counts as one that long.
  static let longestNanoseconds: UInt64 = 60_000_000_000

  /// A histogram of nanoseconds, to three significant digits.
  static var emptyHistogram: Histogram<UInt64> {
    Histogram(highestTrackableValue: longestNanoseconds, numberOfSignificantValueDigits: .three)
  }

  private let clock: TickClock
  private var start: UInt64 = 0

  /// The nanoseconds of every call.
  private(set) var histogram = LatencyObserver.emptyHistogram

  init(clock: TickClock) {
    self.clock = clock
  }

  @inline(__always) mutating func callBegins() { start = TickClock.now }

  @inline(__always) mutating func callEnds() {
    let end = TickClock.now
    _ = histogram.record(min(clock.nanoseconds(from: start, to: end), Self.longestNanoseconds))
  }
}

/// Reads the resident set at evenly spaced steps, and sums what was granted.
struct MemoryObserver: ReplayObserver {
  private let interval: Int
  private var next = 0

  /// The readings of this thread: which moment, and the resident bytes.
  private(set) var readings: [(moment: Int, byteCount: UInt64)] = []

  init(interval: Int) {
    self.interval = interval
    readings.reserveCapacity(2 * WorkloadFacts.residencySampleCount)
  }

  /// The usable bytes of all blocks this thread got.
  private(set) var grantedByteCount: UInt64 = 0

  /// The bytes it asked for.
  private(set) var requestedByteCount: UInt64 = 0

  static var countsGrants: Bool { true }

  @inline(__always) mutating func granted(usableByteCount: UInt, requestedByteCount: UInt) {
    grantedByteCount += UInt64(usableByteCount)
    self.requestedByteCount += UInt64(requestedByteCount)
  }

  @inline(__always) mutating func stepTaken(at position: Int) {
    if position % interval == 0 { readings.append((position / interval, ResidentSet.byteCount)) }
  }
}
