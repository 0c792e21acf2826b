@testable import HeapBenchKit

/// A comparison made by hand.
enum SampleComparison {
  static let allocators = [
    ComparedAllocator.glibc, ComparedAllocator(name: "heaplab", library: "/lib/libheaplab.so"),
    ComparedAllocator(name: "tcmalloc", library: "/lib/libtcmalloc.so"),
  ]

  /// A run with that many nanoseconds of processor time for each of a hundred operations.
  static func run(
    _ nanoseconds: Int, threads: Int = 1, peak: (Int, Int)? = nil, end: (Int, Int)? = nil, idle: (Int, Int)? = nil,
    slowest: Int? = nil, unsized: Int? = nil, faults: Int = 3,
    latency: (malloc: CallLatency, free: CallLatency)? = nil
  ) -> DriverFigures {
    DriverFigures(
      operations: 100, nanoseconds: nanoseconds * 200, processorNanoseconds: nanoseconds * 100, threads: threads,
      minorFaultCount: faults, peakLiveByteCount: peak?.1, peakResidentByteCount: peak?.0, endLiveByteCount: end?.1,
      endResidentByteCount: end?.0, idleResidentByteCount: idle?.0, trimmedResidentByteCount: idle?.1,
      slowestNanoseconds: slowest, unsizedFrees: unsized, mallocLatency: latency?.malloc, freeLatency: latency?.free)
  }

  /// A speed workload with the nanoseconds of each round.
  static func speed(_ name: String, _ times: [String: [Int]]) -> ComparedItem {
    var item = ComparedItem(name: name, kind: .speed)
    item.runs = times.mapValues { AllocatorRuns(figures: $0.map { run($0) }) }
    return item
  }

  /// A footprint workload with these resident bytes at the peak and at the end, and a hundred live bytes.
  static func footprint(_ name: String, _ resident: [String: (Int, Int)]) -> ComparedItem {
    var item = ComparedItem(name: name, kind: .footprint)
    item.runs = resident.mapValues { AllocatorRuns(figures: [run(1, peak: ($0.0, 100), end: ($0.1, 100))]) }
    return item
  }

  /// Ten idle threads that keep these bytes, before and after `malloc_trim`.
  static func idle(_ resident: [String: (Int, Int)]) -> ComparedItem {
    var item = ComparedItem(name: "idle-threads", kind: .idle)
    item.runs = resident.mapValues { AllocatorRuns(figures: [run(1, threads: 10, idle: $0)]) }
    return item
  }

  /// A stall workload with the nanoseconds of the slowest call.
  static func stall(_ name: String, _ slowest: [String: Int]) -> ComparedItem {
    var item = ComparedItem(name: name, kind: .stall)
    item.runs = slowest.mapValues { AllocatorRuns(figures: [run(1, slowest: $0)]) }
    return item
  }

  /// A latency workload whose quantiles of malloc are these many nanoseconds times 1, 2, 3, 4 and 5, and of free ten
  /// times as many.
  static func latency(_ times: [String: Int]) -> ComparedItem {
    var item = ComparedItem(name: "latency-16-512", kind: .latency)
    item.runs = times.mapValues { time in
      AllocatorRuns(figures: [run(1, latency: (callLatency(1000 * time), callLatency(10_000 * time)))])
    }
    return item
  }

  /// Quantiles of these many picoseconds times 1, 2, 3, 4 and 5.
  static func callLatency(_ picoseconds: Int) -> CallLatency {
    CallLatency(
      calls: 100, p50Picoseconds: picoseconds, p99Picoseconds: 2 * picoseconds, p999Picoseconds: 3 * picoseconds,
      p9999Picoseconds: 4 * picoseconds, maximumPicoseconds: 5 * picoseconds)
  }

  /// A process that hardly allocates, with its resident KiB.
  static func process(_ residentKiB: [String: Int]) -> ComparedItem {
    var item = ComparedItem(name: "trivial-process", kind: .process)
    item.runs = residentKiB.mapValues { AllocatorRuns(figures: [run(1, peak: ($0 * 1024, 1))]) }
    return item
  }

  static func report(_ items: [ComparedItem], isWhole: Bool = true) -> ComparisonReport {
    var report = ComparisonReport(allocators: allocators, isWhole: isWhole)
    report.items = items
    return report
  }
}
