package import HeapBlocks
internal import Synchronization

/// Functions that a space calls and its owner provides, which knows threads, processes and clocks.
package struct SpaceHooks {
  /// Called between looks at one of the space's locks; the argument counts the turns of the wait.
  package let wait: LockWait
  /// The time, in milliseconds of a clock that never goes back.
  package let milliseconds: @convention(c) () -> UInt
  /// Called under the space's lock: a granule right below a number is committed, and none above it.
  package let didCommit: @convention(c) (UInt) -> Void

  package init(
    wait: LockWait, milliseconds: @escaping @convention(c) () -> UInt,
    didCommit: @escaping @convention(c) (UInt) -> Void
  ) {
    self.wait = wait
    self.milliseconds = milliseconds
    self.didCommit = didCommit
  }
}

/// The fields of a space. Any thread may read the first group and the atomics. The others belong to the holder of the
/// lock that their group names.
package struct SpaceRecord: ~Copyable {
  // Constant once the space was made.

  /// The address of granule 0, a multiple of 64 KiB.
  package let base: UInt
  /// How many granules the range has room for.
  package let granuleCount: UInt
  /// The addresses of the granule table and of the table of the chunks' committed ends.
  package var table: UInt = 0
  var chunkTable: UInt = 0
  /// The first granule behind the head of chunk 0.
  package var firstGranule: UInt = 0
  let hooks: SpaceHooks
  /// Whether the memory is committed in steps and can be decommitted: not when it is the caller's.
  package let ownsMapping: Bool

  // Under the space's lock.

  package let lock = HeapLock()
  /// The memory from which granules are committed; nil when it is the caller's.
  package var reservation: HeapReservation?
  /// The first granule of the lowest chunk with a buddy: 0, or a higher one once buddies were abandoned.
  package var buddyFirstGranule: UInt = 0
  /// The granule behind the last chunk that has begun or was skipped.
  var chunksEnd: UInt = 0
  /// For each order, the head of a chunk below which no chunk has a free run of the order.
  var lowestHeads = InlineArray<19, UInt>(repeating: 0)
  /// The granule above all that are committed, and the end of the committed part of the granule table.
  let committedEnd = Atomic<UInt>(0)
  var tableEnd: UInt = 0
  /// The place for the next record, and the end of the granule for records.
  var recordNext: UInt = 0
  var recordEnd: UInt = 0
  /// The bytes charged to the quota: granules of spans and of records, blocks of arenas, those in thread caches
  /// included, and mappings that stand alone. Not counted without a quota.
  var usedByteCount: UInt = 0
  /// The quota, `UInt.max` for none.
  let quotaByteCount = Atomic<UInt>(.max)
  /// The bytes that went back to the system so far.
  let returnedByteCount = Atomic<UInt>(0)
  /// How often granules were committed.
  let commitCount = Atomic<UInt>(0)
  /// When the system last refused to take pages back, 0 for never.
  let refusedAtMilliseconds = Atomic<UInt>(0)
  /// Whether a purge of free granules is under way, or was due when the last one became free.
  let isPurgeNear = Atomic<Bool>(false)
  /// How many heaps were made over the space.
  let heapCount = Atomic<UInt>(0)

  /// How many granules are allocated from the buddy.
  var heldGranuleCount: UInt = 0
  /// When to purge free granules, and how far the purge under way has come; 0 for none.
  package var decay = PurgeDecay()
  var purgePosition: UInt = 0

  // Under the samples' lock, which is taken last.

  package let sampleLock = HeapLock()
  /// The table of samples, 0 until there is one (SampleTable.swift).
  let samples = Atomic<UInt>(0)

  // Written under the space's lock, by a release. The arenas' own locks come before the space's.

  /// The arenas.
  var arenas = Arenas(repeating: 0)

  init(base: UInt, granuleCount: UInt, reservation: HeapReservation?, hooks: SpaceHooks) {
    self.base = base
    self.granuleCount = granuleCount
    self.reservation = reservation
    ownsMapping = reservation != nil
    self.hooks = hooks
  }
}
