/// A figure of a heap: its name, its unit and its meaning. docs/telemetry.md has a row for each.
public struct HeapFigure: Sendable {
  /// Whether a figure goes up and down, or only up.
  public enum Kind: String, Sendable {
    case gauge
    case counter
  }

  /// The name without the prefix `heaplab_`; that of a counter without its suffix.
  public let name: String
  public let kind: Kind
  /// Whether it counts bytes.
  public let isBytes: Bool
  /// The meaning in one sentence.
  public let help: String
  /// Whether a page in /dev/shm has it too.
  let isOnPage: Bool
  /// The figure; nil where the process has none.
  let value: @Sendable (ProcessReading) -> UInt64?

  init(
    _ name: String, _ help: String, kind: Kind = .gauge, isBytes: Bool = true, isOnPage: Bool = false,
    _ value: @escaping @Sendable (ProcessReading) -> UInt64?
  ) {
    (self.name, self.help, self.kind, self.isBytes) = (name, help, kind, isBytes)
    (self.isOnPage, self.value) = (isOnPage, value)
  }

  /// The figure of a process, nil where there is none.
  public func value(of reading: ProcessReading) -> UInt64? {
    isOnPage || reading.heap.source == .memory ? value(reading) : nil
  }

  /// The unit that OpenMetrics is told: the end of the name.
  var unit: String? { isBytes ? "bytes" : name.hasSuffix("_seconds") ? "seconds" : nil }

  /// The name of the metric family.
  public var family: String { "heaplab_\(name)" }

  /// All figures, in the order of reports.
  public static let all: [HeapFigure] = [
    HeapFigure("live_bytes", "Bytes of the blocks in use, mappings included.", isOnPage: true) {
      $0.heap.liveByteCount
    },
    HeapFigure("committed_bytes", "Bytes that the heap can write to without asking the system.", isOnPage: true) {
      $0.heap.committedByteCount
    },
    HeapFigure("resident_bytes", "Bytes of the heap's pages that may have memory behind them.") {
      $0.heap.residentByteCount
    },
    HeapFigure("retained_bytes", "Resident bytes that are free and that a purge would return.") {
      $0.heap.retainedByteCount
    },
    HeapFigure("fragmented_bytes", "Resident bytes that are free and that live blocks pin, at most.") {
      $0.heap.fragmentedByteCount
    },
    HeapFigure("process_resident_bytes", "The resident set of the process, all of it.", isOnPage: true) {
      $0.host.residentByteCount
    },
    HeapFigure("span_resident_bytes", "Resident bytes of spans.") { $0.heap.spanResidentByteCount },
    HeapFigure("arena_resident_bytes", "Resident bytes of arenas.") { $0.heap.arenaResidentByteCount },
    HeapFigure("free_resident_bytes", "Resident bytes of granules that nothing uses.") {
      $0.heap.freeResidentByteCount
    },
    HeapFigure("kept_bytes", "Bytes of mappings that no block uses and the heap keeps.") { $0.heap.keptByteCount },
    HeapFigure("thread_bytes", "Free bytes that threads have at hand.", isOnPage: true) { $0.heap.threadByteCount },
    HeapFigure("thread_cached_bytes", "Free bytes in threads' caches of large blocks.") { $0.heap.cachedByteCount },
    HeapFigure("arena_bytes", "Bytes of the ranges of arenas.", isOnPage: true) { $0.heap.arenaByteCount },
    HeapFigure("large_blocks", "Blocks in arenas, those in caches included.", isBytes: false) { $0.heap.largeCount },
    HeapFigure("large_bytes", "Bytes of blocks in arenas, those in caches included.") { $0.heap.largeByteCount },
    HeapFigure("mapped_blocks", "Blocks that are mappings of their own.", isBytes: false, isOnPage: true) {
      $0.heap.mappedCount
    },
    HeapFigure("mapped_bytes", "Bytes of blocks that are mappings of their own.", isOnPage: true) {
      $0.heap.mappedByteCount
    },
    HeapFigure("spans", "Granules of 64 KiB that are carved into blocks of one size.", isBytes: false, isOnPage: true) {
      $0.heap.spanCount
    },
    HeapFigure("thread_heaps", "Thread heaps, those of ended threads included.", isBytes: false, isOnPage: true) {
      $0.heap.heapCount
    },
    HeapFigure("quota_bytes", "The most bytes that the heap may hold; absent without a quota.", isOnPage: true) {
      $0.heap.quotaByteCount
    },
    HeapFigure(
      "slow_paths", "Requests and frees that left the fast paths, refills among them.", kind: .counter, isBytes: false,
      isOnPage: true
    ) { $0.heap.slowPathCount },
    HeapFigure("commits", "How often the heap grew.", kind: .counter, isBytes: false, isOnPage: true) {
      $0.heap.commitCount
    },
    HeapFigure("purged_bytes", "Bytes that the heap returned to the system.", kind: .counter, isOnPage: true) {
      $0.heap.purgedByteCount
    },
    HeapFigure(
      "regretted_purges", "Purges after which the memory was needed again at once.", kind: .counter, isBytes: false,
      isOnPage: true
    ) { $0.heap.regretCount },
    HeapFigure(
      "refused_requests", "Requests that got no memory.", kind: .counter, isBytes: false, isOnPage: true
    ) { $0.heap.refusedCount },
    HeapFigure(
      "reading_age_seconds", "How old the figures are: 0 but for a page in /dev/shm.", isBytes: false,
      isOnPage: true
    ) { $0.heap.ageMilliseconds / 1000 },
    HeapFigure("reading_steady", "1 when nothing moved on a slow path during the reading, else 0.", isBytes: false) {
      $0.heap.isSteady ? 1 : 0
    },
  ]
}
