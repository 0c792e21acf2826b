package import BuddyFrames
package import FirstFitHeap
package import HeapBlocks
internal import Synchronization

/// What a space asks of its owner, which knows threads, processes and clocks.
package struct SpaceHooks {
  /// What a thread does in the n-th turn of a wait for one of the space's locks.
  package let wait: LockWait
  /// The time, in milliseconds of a clock that never goes back.
  package let milliseconds: @convention(c) () -> UInt
  /// Learns, under the space's lock, that all granules below a number are committed.
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

/// The fields of a space. Any thread may read those of the first group, and atomics; the others belong to the holder of
/// the lock that is named.
package struct SpaceRecord: ~Copyable {
  // Constant once the space was made, but for the epoch.

  /// The first address, a multiple of 64 KiB.
  package var base: UInt = 0
  /// How many granules there is room for.
  package var granuleCount: UInt = 0
  /// The first granule behind the tables.
  package var firstGranule: UInt = 0
  let hooks: SpaceHooks
  /// How often the arenas were abandoned, in children of fork.
  package var arenaEpoch: UInt8 = 0

  // The space's lock.

  package let lock = HeapLock()
  /// The memory that granules are committed from and given back to; nil when a caller brought it.
  package var reservation: HeapReservation?
  /// Which granules are free. Frame n is granule n.
  package var frames: BuddyFrames
  /// The first granule that the buddy manages: `firstGranule`; higher after a buddy was abandoned, and `granuleCount` when
  /// there is none since.
  package var buddyFirstGranule: UInt = 0
  /// The first granule that is not committed, and where the committed part of the granule table ends.
  let committedEnd = Atomic<UInt>(0)
  var tableEnd: UInt = 0
  /// Where the next record goes, and where the granule for records ends.
  var recordNext: UInt = 0
  var recordEnd: UInt = 0
  /// The bytes that count against the quota: granules of spans and records, blocks of arenas, those in threads' caches
  /// included, and mappings that stand alone. Not counted without a quota.
  var usedByteCount: UInt = 0
  /// The quota, `UInt.max` for none.
  let quotaByteCount = Atomic<UInt>(.max)

  // The arenas' lock, which is taken before the space's.

  package let arenaLock = HeapLock()
  /// What is too large for spans, and how many bytes its ranges have.
  package var arena = FirstFitHeap()
  package var arenaByteCount: UInt = 0
  /// How many bytes of blocks are in use there or in threads' caches.
  package var arenaUsedByteCount: UInt = 0
  /// When to give memory of their holes back.
  package var arenaDecay = PurgeDecay()

  init(frames: consuming BuddyFrames, hooks: SpaceHooks) {
    self.frames = frames
    self.hooks = hooks
  }

  /// Whether the memory is committed in steps and given back: not when a caller brought it.
  package var ownsMapping: Bool { reservation != nil }
}
