package import BuddyFrames
package import FirstFitHeap
package import HeapBlocks
internal import Synchronization

/// Functions that a space calls and its owner provides, which knows threads, processes and clocks.
package struct SpaceHooks {
  /// Called between looks at one of the space's locks; the argument counts the turns of the wait.
  package let wait: LockWait
  /// The time, in milliseconds of a clock that never goes back.
  package let milliseconds: @convention(c) () -> UInt
  /// Called under the space's lock: all granules below a number are committed.
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

  /// The first address, a multiple of 64 KiB.
  package var base: UInt = 0
  /// How many granules the range has room for.
  package var granuleCount: UInt = 0
  /// The first granule behind the tables.
  package var firstGranule: UInt = 0
  let hooks: SpaceHooks
  /// Whether the memory is committed in steps and can be decommitted: not when it is the caller's.
  package let ownsMapping: Bool

  // Under the space's lock.

  package let lock = HeapLock()
  /// The memory from which granules are committed; nil when it is the caller's.
  package var reservation: HeapReservation?
  /// Which granules are free. Frame n is granule n.
  package var frames: BuddyFrames
  /// The first granule that the buddy manages: `firstGranule`, or a higher one once a buddy was abandoned.
  /// `granuleCount` when there is no buddy any more.
  package var buddyFirstGranule: UInt = 0
  /// The first granule that is not committed, and the end of the committed part of the granule table.
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

  // Under the arenas' lock, which comes before the space's.

  package let arenaLock = HeapLock()
  /// The blocks too large for spans, and the size of the arena's ranges.
  package var arena = FirstFitHeap()
  package var arenaByteCount: UInt = 0
  /// How often the arenas were abandoned, in children of fork.
  package var arenaEpoch: UInt32 = 0
  /// How many bytes of arena blocks are in use or in thread caches.
  package var arenaUsedByteCount: UInt = 0
  /// When to purge their holes.
  package var arenaDecay = PurgeDecay()

  init(frames: consuming BuddyFrames, reservation: HeapReservation?, hooks: SpaceHooks) {
    self.frames = frames
    self.reservation = reservation
    ownsMapping = reservation != nil
    self.hooks = hooks
  }
}
