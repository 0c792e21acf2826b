package import HeapBlocks

/// The fields of a thread heap. Zero bytes are their initial value.
///
/// Only the heap's thread writes them, except for the atomics in the second half. Other threads count its blocks and look
/// for one on its lists meanwhile: what they read is accessed by relaxed atomics (see `withAtomic`).
package struct ThreadHeapRecord: ~Copyable {
  /// The active lists, by size class. First, for the hot path to reach them with one index.
  @usableFromInline var active: BySizeClass<UInt>
  /// The current span's granule, 0 for none.
  var current: BySizeClass<UInt32>
  /// The first span with blocks to give, 0 for none.
  var available: BySizeClass<UInt32>
  /// How often a class without a magazine ran out, modulo 256.
  var refillCounts: BySizeClass<UInt8>
  /// How many blocks a magazine may hold, and how many more (ThreadHeap+Magazines.swift).
  var magazineLimits: BySizeClass<UInt8>
  @usableFromInline var magazineRooms: BySizeClass<Int16>
  /// By how many bytes of blocks the magazines may hold more than at first.
  var magazineGrownByteCount: UInt
  /// The blocks in the cache, by class, how many bytes more it may hold, and how many at most (ThreadHeap+Cache.swift).
  var cached: ByLargeClass<UInt>
  var cacheRoom: Int
  var cacheLimit: UInt
  /// The space that the spans come from.
  package var space: UInt
  /// The heap's number in the space: how far its record lies from the space's start, in steps of a record.
  @usableFromInline var number: UInt32
  /// Empty spans at hand, linked by `next`, and how many.
  package var idleCount: UInt32
  var idleSpan: UInt32
  /// The heap that blocks were given back to last, 0 for none.
  var receiver: UInt
  /// The bytes of its spans' pages that are not absent.
  var heldByteCount: UInt
  /// When to give memory of its spans back.
  package var decay: PurgeDecay
  /// Blocks on their way to other heaps, by span (ThreadHeap+Remote.swift).
  var outgoing: InlineArray<64, OutgoingBatch>

  // What other threads write is on cache lines of its own.
  private let before: InlineArray<8, UInt>
  /// Spans with new remote blocks, a stack for each size class.
  var incoming: BySizeClass<UInt32>
  /// How many of those became complete (ThreadHeap+Claims.swift).
  var completeCount: Int
  /// The bytes of spans that other heaps claimed.
  var claimedByteCount: UInt
  private let behind: InlineArray<8, UInt>
}
