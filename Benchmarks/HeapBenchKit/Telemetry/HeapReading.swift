/// What the heap of a process holds at one moment. docs/telemetry.md says what each figure means.
public struct HeapReading: Hashable, Sendable, Codable {
  /// How a reading came about.
  public enum Source: String, Hashable, Sendable, Codable {
    /// From the memory of the process.
    case memory
    /// From the page that the process keeps in /dev/shm: figures without those of classes.
    case page
  }

  /// The figures of one size class.
  public struct SizeClass: Hashable, Sendable, Codable {
    /// The size of its blocks in bytes.
    public var blockByteCount: UInt64
    /// How many spans it has.
    public var spanCount: UInt64 = 0
    /// How many blocks are in use or on a thread's list, and how many are free in spans.
    public var usedCount: UInt64 = 0
    public var freeCount: UInt64 = 0
    /// The bytes of its spans' pages that may have memory behind them.
    public var residentByteCount: UInt64 = 0
    /// How many of its used blocks are on threads' lists.
    public var listedCount: UInt64 = 0

    /// How many blocks the program holds.
    public var liveCount: UInt64 { usedCount - min(usedCount, listedCount) }
    /// Their bytes.
    public var liveByteCount: UInt64 { liveCount * blockByteCount }
  }

  public var process: Int32
  public var source = Source.memory
  /// Whether nothing moved on a slow path during the reading. Otherwise the figures do not belong to one moment.
  public var isSteady = true
  /// How old the figures are.
  public var ageMilliseconds: UInt64 = 0

  /// As `heaplab_read_statistics` has them.
  public var committedByteCount: UInt64 = 0
  public var liveByteCount: UInt64 = 0
  public var mappedByteCount: UInt64 = 0
  public var mappedCount: UInt64 = 0
  public var heapCount: UInt64 = 0
  public var spanCount: UInt64 = 0
  public var arenaByteCount: UInt64 = 0

  /// The bytes of pages with memory behind them, as the heap notes them: of spans, of arenas, and of free granules.
  public var spanResidentByteCount: UInt64 = 0
  public var arenaResidentByteCount: UInt64 = 0
  public var freeResidentByteCount: UInt64 = 0
  /// Of the resident bytes of spans and arenas, those of pages that no block in use can lie in, at least.
  public var spareByteCount: UInt64 = 0
  /// The bytes of mappings that no block uses and the heap keeps.
  public var keptByteCount: UInt64 = 0

  /// The free bytes that threads have at hand: in caches of large blocks, in magazines, on active lists, and in batches
  /// for other threads.
  public var cachedByteCount: UInt64 = 0
  public var magazineByteCount: UInt64 = 0
  public var activeByteCount: UInt64 = 0
  public var batchByteCount: UInt64 = 0

  /// How many blocks are in arenas, those in caches included, and their bytes.
  public var largeCount: UInt64 = 0
  public var largeByteCount: UInt64 = 0

  /// The quota in bytes; nil without one.
  public var quotaByteCount: UInt64?

  /// How often something happened since the start.
  public var slowPathCount: UInt64 = 0
  public var commitCount: UInt64 = 0
  public var purgedByteCount: UInt64 = 0
  public var regretCount: UInt64 = 0
  public var refusedCount: UInt64 = 0

  /// The size classes that have spans.
  public var classes: [SizeClass] = []

  init(process: Int32) { self.process = process }
}

// Figures that follow from the others.
extension HeapReading {
  /// All free bytes that threads have at hand.
  public var threadByteCount: UInt64 { cachedByteCount + magazineByteCount + activeByteCount + batchByteCount }

  /// The bytes of the heap's pages that may have memory behind them, mappings included.
  public var residentByteCount: UInt64 {
    spanResidentByteCount + arenaResidentByteCount + freeResidentByteCount + keptByteCount + mappedByteCount
  }

  /// Free memory that a purge would return: free granules, kept mappings, spare pages, and what threads have at hand.
  public var retainedByteCount: UInt64 {
    let held = residentByteCount - min(residentByteCount, liveByteCount)
    return min(held, freeResidentByteCount + keptByteCount + spareByteCount + threadByteCount)
  }

  /// Free memory that live blocks pin, at most: the rest of the resident memory in spans and arenas.
  public var fragmentedByteCount: UInt64 {
    residentByteCount - min(residentByteCount, liveByteCount + retainedByteCount)
  }
}
