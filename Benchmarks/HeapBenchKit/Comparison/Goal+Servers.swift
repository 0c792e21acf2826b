// The goals for servers: many threads with small heaps, threads that sleep, and calls that nobody may wait for.

extension Goal {
  static let servers: [Goal] = [
    smallHeaps("small heaps, 1 thread × 256 blocks", "small-heaps-1x256"),
    smallHeaps("small heaps, 8 threads × 256 blocks", "small-heaps-8x256"),
    smallHeaps("small heaps, 64 threads × 256 blocks", "small-heaps-64x256"),
    smallHeaps("small heaps, 64 threads × 2,048 blocks", "small-heaps-64x2048"),
    worst("small heaps, every one", .footprint, "small-heaps-", "peak ÷ live", 2, \.peakRatio),
    idleThreads("500 idle threads, KiB each", \.idleKiBPerThread),
    idleThreads("the same after malloc_trim", \.trimmedKiBPerThread),
    worst("slowest free, any order, processor time", .stall, "frees-", "ms", 1, \.slowestMilliseconds),
    worst("slowest call beside another's frees", .stall, "beside-", "ms", 40, \.slowestMilliseconds),
    worst("the same, as far as it should come", .stall, "beside-", "ms", 5, \.slowestMilliseconds),
    scaling,
    time("64 threads that replace 40 to 400 kB", ["replace-40-400KB-64"], over: "tcmalloc", 1),
    time(
      "loops over a buffer, 40 to 256 MiB", ["buffer-40MiB", "buffer-64MiB", "buffer-256MiB"], over: "tcmalloc", 1.25),
  ]

  /// The peak over live bytes, limited by the better of two peers that cache by thread or by processor.
  private static func smallHeaps(_ figure: String, _ workload: String) -> Goal {
    atMostLeast(figure, "≤ jemalloc, tcmalloc", workload, of: ["jemalloc", "tcmalloc"], \.peakRatio)
  }

  private static func idleThreads(
    _ figure: String, _ value: @escaping @Sendable (DriverFigures) -> Double?
  ) -> Goal {
    atMostLeast(figure, "≤ tcmalloc, ≤ 64", "idle-threads", of: ["tcmalloc"], cap: 64, value)
  }

  /// A goal for a figure of one workload, limited by the least of the peers' figures and the cap. All of these peers
  /// must have been measured.
  private static func atMostLeast(
    _ figure: String, _ bound: String, _ workload: String, of peers: [String], cap: Double = .infinity,
    _ value: @escaping @Sendable (DriverFigures) -> Double?
  ) -> Goal {
    Goal(figure: figure, bound: bound) { report in
      guard let item = report.item(workload) else { return nil }
      let values = peers.compactMap { item.median(of: $0, value) }
      guard values.count == peers.count, let best = item.best(among: peers, value) else { return nil }
      let limit = min(best.value, cap)
      if item.hasFailure(of: heaplab) { return .failed(workload, limit: limit) }
      return item.median(of: heaplab, value).map {
        Measured(value: $0, limit: limit, place: "\(best.name): \(Figure.text(best.value, significantDigits: 3))")
      }
    }
  }

  /// A goal for the worst figure of all rows of a kind whose names start alike.
  private static func worst(
    _ figure: String, _ kind: ComparedItem.Kind, _ prefix: String, _ unit: String, _ limit: Double,
    _ value: @escaping @Sendable (DriverFigures) -> Double?
  ) -> Goal {
    var goal = Goal(figure: figure, bound: "≤ \(text(limit)) \(unit)") { report in
      let items = report.items(kind).filter { $0.name.hasPrefix(prefix) }
      if let failed = items.first(where: { $0.hasFailure(of: heaplab) }) { return .failed(failed.name, limit: limit) }
      let figures = items.compactMap { item in item.median(of: heaplab, value).map { (name: item.name, value: $0) } }
      guard let worst = figures.max(by: { $0.value < $1.value }) else { return nil }
      return Measured(value: worst.value, limit: limit, place: "worst: \(worst.name)")
    }
    goal.needsFullSize = true
    return goal
  }

  /// How the time of an operation changes from one thread to eight, over the same of tcmalloc.
  private static let scaling = Goal(figure: "40 to 400 kB, 8 threads ÷ 1 thread", bound: "≤ 1.00 tcmalloc") { report in
    guard let one = report.item("replace-40-400KB-1"), let eight = report.item("replace-40-400KB-8") else { return nil }
    if let failed = [one, eight].first(where: { $0.hasFailure(of: heaplab) }) { return .failed(failed.name, limit: 1) }
    func growth(_ name: String) -> Double? {
      guard let eight = eight.median(of: name, \.nanosecondsPerOperation) else { return nil }
      return one.median(of: name, \.nanosecondsPerOperation).map { eight / $0 }
    }
    guard let own = growth(heaplab), let peer = growth("tcmalloc") else { return nil }
    let (ownText, peerText) = (Figure.text(1 / own, significantDigits: 3), Figure.text(1 / peer, significantDigits: 3))
    return Measured(value: own / peer, limit: 1, place: "\(ownText) of one, tcmalloc \(peerText)")
  }
}
