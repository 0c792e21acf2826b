// The goals beside the fastest allocators that there are, most of which a user builds (docs/peers.md). A goal names the
// peer that sets its bar. Where that one was not measured, the best of the others but glibc takes its place, row by row.
// The table names the peer that decided.

extension Goal {
  static let fastest: [Goal] = [
    meanSpeed, everySpeed,
    ratio("random slots, 16 to 512 B", ["random-slots-16-512"], over: "mimalloc", 5.0 / 5.4, operationTime),
    ratio("200,000 live blocks, cold", ["cold-frees-16-512"], over: "snmalloc", 1, operationTime),
    ratio(
      "pipelines, 2 and 8 threads",
      ["pipeline-64-2", "pipeline-64-8", "pipeline-16-512-2", "pipeline-16-512-8"], over: "snmalloc", 1, operationTime),
    ratio("larson, 1, 2 and 8 threads", ["larson-1", "larson-2", "larson-8"], over: "tcmalloc", 1, operationTime),
    ratio(
      "the same with sized frees", ["larson-sized-1", "larson-sized-2", "larson-sized-8"], over: "tcmalloc", 1,
      operationTime),
    ratio("usable size, hot and cold", ["usable-size-hot", "usable-size-cold"], over: "mimalloc", 1, operationTime),
    ratio(
      "random slots, 8 to 200 KB", ["random-slots-8KiB-32KiB", "random-slots-40KB-200KB"], over: "tcmalloc", 1.2,
      operationTime),
    // Less than one fault in a million is none.
    ratio("page faults of pipelines, 8 threads", ["pipeline-64-8", "pipeline-16-512-8"], over: "snmalloc", 2) {
      max(1, $0.faultsPerMillion)
    },
    ratio("malloc p99.99, small mix", [latency], over: "rpmalloc", 1, mallocP9999),
    ratio("the same, as far as it should come", [latency], over: "mimalloc", 1, mallocP9999),
    trivialProcess,
  ]

  private static let latency = "latency-16-512"
  private static let operationTime: @Sendable (DriverFigures) -> Double? = { $0.nanosecondsPerOperation }
  private static let mallocP9999: @Sendable (DriverFigures) -> Double? = {
    $0.mallocLatency.map { Double($0.p9999Picoseconds) }
  }

  /// The mean over all speed workloads, over the fastest peer of each.
  private static let meanSpeed = Goal(figure: "geometric mean of speed", bound: "≤ 0.95 fastest peers") { report in
    guard report.isWhole else { return nil }
    if let failed = failedItem(of: .speed, in: report) { return .failed(failed.name, limit: 0.95) }
    func mean(_ name: String) -> Double? { report.meanTimeRatio(of: name, .speed, over: report.fastestPeerTime) }
    let best = report.peerNames.compactMap { name in mean(name).map { (name: name, value: $0) } }
      .min { $0.value < $1.value }
    return mean(heaplab).map { own in
      Measured(
        value: own, limit: 0.95, place: best.map { "\($0.name): \(Figure.text($0.value, significantDigits: 3))" })
    }
  }

  private static let everySpeed = Goal(figure: "every speed workload, beside all", bound: "≤ 1.15 fastest peer") {
    report in
    guard report.isWhole else { return nil }
    return worst(report.items(.speed), limit: 1.15, operationTime) { $0.best(among: report.peerNames, operationTime) }
  }

  /// The resident memory of a process that hardly allocates.
  private static let trivialProcess = Goal(figure: "trivial process, KiB", bound: "≤ glibc + 150") { report in
    guard let item = report.item("trivial-process"),
      let glibc = item.median(of: ComparedAllocator.glibc.name, \.peakResidentKiB)
    else { return nil }
    if item.hasFailure(of: heaplab) { return .failed(item.name, limit: glibc + 150) }
    return item.median(of: heaplab, \.peakResidentKiB).map {
      Measured(value: $0, limit: glibc + 150, place: "glibc: \(Figure.text(glibc, significantDigits: 4))")
    }
  }

  /// A goal for a figure of some workloads over a peer's; the worst ratio counts.
  private static func ratio(
    _ figure: String, _ workloads: [String], over peer: String, _ limit: Double,
    _ value: @escaping @Sendable (DriverFigures) -> Double?
  ) -> Goal {
    Goal(figure: figure, bound: "≤ \(text(limit)) \(peer)") { report in
      let items = workloads.compactMap(report.item)
      guard items.count == workloads.count else { return nil }
      let others = report.peerNames.filter { $0 != ComparedAllocator.glibc.name }
      return worst(items, limit: limit, value) { item in
        item.median(of: peer, value).map { (peer, $0) } ?? item.best(among: others, value)
      }
    }
  }

  /// The worst ratio of a figure to that of a peer; nil unless every row has both.
  private static func worst(
    _ items: [ComparedItem], limit: Double, _ value: (DriverFigures) -> Double?,
    over reference: (ComparedItem) -> (name: String, value: Double)?
  ) -> Measured? {
    if let failed = items.first(where: { $0.hasFailure(of: heaplab) }) { return .failed(failed.name, limit: limit) }
    let ratios = items.compactMap { item -> (place: String, value: Double)? in
      guard let own = item.median(of: heaplab, value), let peer = reference(item), peer.value > 0 else { return nil }
      return ("\(item.name) beside \(peer.name)", own / peer.value)
    }
    guard ratios.count == items.count, let worst = ratios.max(by: { $0.value < $1.value }) else { return nil }
    return Measured(value: worst.value, limit: limit, place: worst.place)
  }
}
