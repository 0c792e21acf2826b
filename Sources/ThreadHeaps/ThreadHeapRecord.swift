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
  /// How often a class without a magazine ran out, modulo 256.
  var refillCounts: BySizeClass<UInt8>
  /// The limit of each magazine in blocks, and its room (ThreadHeap+Magazines.swift).
  var magazineLimits: BySizeClass<UInt8>
  @usableFromInline var magazineRooms: BySizeClass<Int16>
  /// How many bytes of blocks the magazines may hold beyond their first limits.
  var magazineGrownByteCount: UInt
  /// The first cached block of each class, the cache's room and its limit in bytes (ThreadHeap+Cache.swift).
  var cached: ByLargeClass<UInt>
  var cacheRoom: Int
  var cacheLimit: UInt
  /// The address of the space that the spans come from.
  package var space: UInt
  /// The heap's number in the space: its record's distance from the space's start, in steps of a record.
  @usableFromInline var number: UInt32
  /// How many empty spans are in reserve, and the first one; they are linked by `next`.
  package var idleCount: UInt32
  var idleSpan: UInt32
  /// The heap that received this heap's last batch, 0 for none.
  var receiver: UInt
  /// The bytes of the spans' pages that are not absent.
  var heldByteCount: UInt
  /// When to purge the spans.
  package var decay: PurgeDecay
  /// Blocks on their way to other heaps, one batch for each span (ThreadHeap+Remote.swift).
  var outgoing: OutgoingBatches

  // Cache lines of their own for the fields that other threads write.
  private let before: InlineArray<8, UInt>
  /// Spans with blocks that other threads freed, a stack for each size class.
  var incoming: BySizeClass<UInt32>
  /// How many of those spans are complete; negative after a claim that put spans back (ThreadHeap+Claims.swift).
  var completeCount: Int
  /// The bytes of spans that other heaps claimed and that `heldByteCount` still includes.
  var claimedByteCount: UInt
  private let behind: InlineArray<8, UInt>
}
