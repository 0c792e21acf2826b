package import HeapBlocks

/// The fields of a thread heap. Zero bytes are their initial value.
///
/// Only the heap's thread writes them, except for the atomics behind `before`. Other threads count its blocks meanwhile
/// and search its lists: the fields that they read are accessed as relaxed atomics (see `withAtomic`).
package struct ThreadHeapRecord: ~Copyable {
  /// The active lists, by size class. They come first, and one index leads the hot path to them.
  @usableFromInline var active: BySizeClass<UInt>
  /// The current span's granule, 0 for none.
  var current: BySizeClass<UInt32>
  /// The first span with blocks to allocate, 0 for none.
  var available: BySizeClass<UInt32>
  /// How often a class without a magazine ran out, modulo 256; for a class with one, how many blocks of it this thread
  /// took from arenas and did not return.
  var refillCounts: BySizeClass<UInt8>
  /// The limit of each magazine in blocks, and its room (ThreadHeap+Magazines.swift).
  var magazineLimits: BySizeClass<UInt8>
  @usableFromInline var magazineRooms: BySizeClass<Int16>
  /// How many bytes of blocks the magazines may hold by their limits, and the one that was shrunk last.
  var magazinesByteCount: UInt
  var shrunkMagazine: UInt8
  /// How often a magazine could not grow, modulo 256.
  var refusedGrowthCount: UInt8
  /// The first cached block of each class, the bytes of all of them, and the most that there may be
  /// (ThreadHeap+Cache.swift).
  var cached: ByLargeClass<UInt>
  var cacheByteCount: UInt
  var cacheLimit: UInt
  /// The bytes of arena blocks that this thread took and did not return, those in its cache included.
  var largeByteCount: UInt
  /// How many bytes the cache may hold because of requests that it could have served, and the class of the block that
  /// the thread returned last to an arena.
  var cacheBoost: UInt
  var returnedClass: UInt8
  /// The class from which the cache gave up a block last.
  var trimmedClass: UInt8
  /// The address of the space that the spans come from.
  package var space: UInt
  /// The heap's number in the space: its record's distance from the space's start, in steps of a record.
  @usableFromInline var number: UInt32
  /// How many empty spans are in reserve, and the first one; they are linked by `next`.
  package var idleCount: UInt32
  var idleSpan: UInt32
  /// The number of the record with the countdowns to the next samples, in steps of a heap's record as `number`:
  /// negative while the heap takes no samples, 0 before it ever did (ThreadHeap+Sampling.swift).
  var countdown: Int32
  /// The heap that received this heap's last batch, 0 for none.
  var receiver: UInt
  /// The bytes of the spans' pages that are not absent.
  var heldByteCount: UInt
  /// When to purge the spans, and how far the purge under way has come: the class's number + 1, 0 for none, and the
  /// class's next span, 0 for none.
  package var decay: PurgeDecay
  var purgeClass: UInt8
  var purgeSpan: UInt32
  /// Whether it looks at all spans, and not only at promising ones.
  var purgeIsThorough: Bool
  /// The number of the arena that the thread keeps to.
  var homeArena: UInt8
  /// How many spans were the first of their class, at most 255.
  var firstSpanCount: UInt8
  /// The largest request that magazines serve, and the largest that they or the cache serve. 0 while the heap samples, and
  /// in the empty heap: then all requests above the table take the path that counts them.
  var magazineMaximum: UInt
  var listedMaximum: UInt
  /// Blocks on their way to other heaps, one batch for each span (ThreadHeap+Remote.swift).
  var outgoing: OutgoingBatches

  // Cache lines of their own for the fields that other threads write.
  private let before: InlineArray<7, UInt>
  /// Spans with blocks that other threads freed, a stack for each size class.
  var incoming: BySizeClass<UInt32>
  /// Whether a span was pushed onto one of them since they were all taken.
  var hasAnyIncoming: Bool
  /// How many of those spans are complete; negative after a claim that put spans back (ThreadHeap+Claims.swift).
  var completeCount: Int
  /// The bytes of spans that other heaps claimed and that `heldByteCount` still includes.
  var claimedByteCount: UInt
  private let behind: InlineArray<8, UInt>
}
