import Histogram

/// Observes one thread of a timed replay.
protocol ReplayObserver {
  /// Whether the replay must call ``granted(usableByteCount:requestedByteCount:)``.
  static var countsGrants: Bool { get }
  /// Called right before a call of the allocator.
  mutating func callBegins()
  /// Called right after a call of the allocator.
  mutating func callEnds()
  /// Called after each step, with its place in the global order.
  mutating func stepTaken(at position: Int)
  /// Called after a request that got a block.
  mutating func granted(usableByteCount: UInt, requestedByteCount: UInt)
}

extension ReplayObserver {
  static var countsGrants: Bool { false }
  @inline(__always) mutating func callBegins() {}
  @inline(__always) mutating func callEnds() {}
  @inline(__always) mutating func stepTaken(at position: Int) {}
  @inline(__always) mutating func granted(usableByteCount: UInt, requestedByteCount: UInt) {}
}

/// Observes nothing: for throughput, which is timed from outside.
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

/// Reads the resident set at evenly spaced steps, and sums the granted bytes.
struct MemoryObserver: ReplayObserver {
  private let interval: Int
  private var next = 0

  /// The readings of this thread: the moment's number and the resident bytes.
  private(set) var readings: [(moment: Int, byteCount: UInt64)] = []

  init(interval: Int) {
    self.interval = interval
    readings.reserveCapacity(2 * WorkloadFacts.residencySampleCount)
  }

  /// The usable bytes of all blocks that this thread got.
  private(set) var grantedByteCount: UInt64 = 0

  /// The bytes that this thread requested.
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
