extension Goal {
  /// Every goal, in the order of the table.
  static let all = general + fastest + servers

  private static let general: [Goal] = [
    Goal(figure: "every speed workload", bound: "≤ 0.90 glibc") { report in
      guard report.isWhole else { return nil }
      // These have goals of their own. glibc answers malloc_usable_size with one load, which nobody undercuts.
      let others = report.items(.speed).filter { $0.name != largeGrowth && !$0.name.hasPrefix("usable-size-") }
      return worstTime(others, over: "glibc", limit: 0.9)
    },
    time(
      "pairs of 16 to 512 B", ["pairs-16", "pairs-64", "pairs-256", "pairs-512", "pairs-16-512"], over: "tcmalloc", 0.75
    ),
    time("batches, random slots, 16 to 512 B", ["lifo-16-512", "fifo-16-512", "slots-16-512"], over: "mimalloc", 1.0),
    time(
      "pairs of 4 to 256 KiB", ["pairs-4KiB", "pairs-32KiB", "pairs-64KiB", "pairs-256KiB"], over: "tcmalloc", 1.0),
    time("pairs of 2 MiB", ["pairs-2MiB"], over: "glibc", 0.8),
    time("calloc of 256 B, aligned 64 B", ["calloc-256", "aligned-64"], over: "jemalloc", 0.8),
    time("growth by realloc to 16 MiB", [largeGrowth], over: "glibc", 1.0),
    time("producer/consumer, 64 B", ["producer-consumer-64"], over: "jemalloc", 0.55),
    time("producer/consumer, 16 to 512 B", ["producer-consumer-16-512"], over: "jemalloc", 1.0),
    time("two threads, own batches", ["own-batches"], over: "tcmalloc", 0.6),
    time("a thread that allocates 100 times", ["thread-churn"], over: "glibc", 0.8),
    Goal(figure: "instructions, malloc + free of 64 B", bound: "≤ 45") { report in
      report.instructions[heaplab].map { Measured(value: $0, limit: 45) }
    },
    Goal(figure: "peak ÷ live, mean of footprints", bound: "< every peer's") { report in
      belowPeers(report, .footprint) { report.mean(of: $0, .footprint, \.peakRatio) }
    },
    Goal(figure: "peak resident, mean of programs, MiB", bound: "< every peer's") { report in
      // The programs' live bytes are unknown, but the same under every allocator: they cancel out.
      belowPeers(report, .program) { name in
        report.mean(of: name, .program) { $0.peakResidentByteCount.map { Double($0) / 1_048_576 } }
      }
    },
    memory("survivors, 1 in 1,000 of 0.5–20 KiB", "survivors-1-in-1000", "resident ÷ live", 12, \.endRatio),
    memory("survivors, 1 in 100 of 16–256 B", "survivors-1-in-100", "resident ÷ live", 35, \.endRatio),
    memory("churn of 4–256 KiB, 400 MB live", "medium-churn", "peak ÷ live", 1.1, \.peakRatio),
    memory("60 × 64 short threads", "short-threads", "peak ÷ live", 2, \.peakRatio),
    time("start of /bin/true", ["start of true"], over: "mimalloc", 1.0),
  ]

  /// A limit as text.
  static func text(_ limit: Double) -> String { Figure.fixed(limit, decimals: limit < 10 ? 2 : 0) }

  static let heaplab = ComparedAllocator.heaplabName
  private static let largeGrowth = "vector-16MiB"

  /// A goal for the time of some workloads over a peer's; the worst ratio counts.
  static func time(_ figure: String, _ workloads: [String], over peer: String, _ limit: Double) -> Goal {
    Goal(figure: figure, bound: "≤ \(text(limit)) \(peer)") { report in
      let items = workloads.compactMap(report.item)
      return items.count == workloads.count ? worstTime(items, over: peer, limit: limit) : nil
    }
  }

  /// The worst ratio of times over a peer's; nil unless every row was measured.
  private static func worstTime(_ items: [ComparedItem], over peer: String, limit: Double) -> Measured? {
    if let failed = items.first(where: { $0.hasFailure(of: heaplab) }) { return .failed(failed.name, limit: limit) }
    let ratios = items.compactMap { item in
      item.timeRatio(heaplab, over: peer).map { (name: item.name, ratio: $0.ratio) }
    }
    guard ratios.count == items.count, let worst = ratios.max(by: { $0.ratio < $1.ratio }) else { return nil }
    return Measured(value: worst.ratio, limit: limit, place: items.count > 1 ? "worst: \(worst.name)" : nil)
  }

  /// A figure over all rows of a kind, limited by the least figure of a peer.
  private static func belowPeers(
    _ report: ComparisonReport, _ kind: ComparedItem.Kind, _ figure: (String) -> Double?
  ) -> Measured? {
    let peers = report.peerNames.compactMap { name in figure(name).map { (name: name, value: $0) } }
    guard report.isWhole, let least = peers.min(by: { $0.value < $1.value }) else { return nil }
    if let failed = failedItem(of: kind, in: report) { return .failed(failed.name, limit: least.value) }
    guard let own = figure(heaplab) else { return nil }
    return Measured(
      value: own, limit: least.value, place: "\(least.name): \(Figure.text(least.value, significantDigits: 3))",
      isStrict: true)
  }

  static func failedItem(of kind: ComparedItem.Kind, in report: ComparisonReport) -> ComparedItem? {
    report.items(kind).first { $0.hasFailure(of: heaplab) }
  }

  /// A goal for a ratio of bytes in one workload.
  private static func memory(
    _ figure: String, _ workload: String, _ ratio: String, _ limit: Double,
    _ value: @escaping @Sendable (DriverFigures) -> Double?
  ) -> Goal {
    var goal = Goal(figure: figure, bound: "≤ \(text(limit)) \(ratio)") { report in
      guard let item = report.item(workload) else { return nil }
      if item.hasFailure(of: heaplab) { return .failed(workload, limit: limit) }
      return item.median(of: heaplab, value).map { Measured(value: $0, limit: limit) }
    }
    goal.needsFullSize = true
    return goal
  }
}
