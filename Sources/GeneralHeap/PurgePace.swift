internal import CLabMalloc

// When to give freed memory back. Too late, and the program holds what it does not use; too early, and the system must
// find, clear and map the same pages again, which costs a hundred times what the free did.
//
// A heap gives back when an eighth of what it holds was freed and not used again. A heap that shrinks is thus purged
// again and again, each time for a part of what it was, and what stays behind when the program falls idle is small. A
// heap that breathes would pay for every breath; so it learns. A purge that the heap undoes within a fraction of a second,
// by growing by half of what was given back, doubles the time until the next one may come; one that it undoes later, or
// never, halves that time. After a single regret a purge of more than half of the heap still comes at once.

/// What one owner of memory, a thread heap or the arenas, freed and used since it last gave memory back.
struct PurgePace {
  /// Bytes that were freed since the last purge and not used again.
  private(set) var freedByteCount: UInt = 0
  /// Bytes that came into use since then beyond those: what a purge must let the system find again.
  private var grownByteCount: UInt = 0
  /// What the last purge found freed, 0 when that was little, and when it was.
  private var purgedByteCount: UInt = 0
  private var purgedAtMilliseconds: UInt = 0
  /// How often the time until the next purge was doubled: 0 for none.
  private var doublingCount: UInt = 0

  /// The time after the first regret, and how often it may double: 100 to 400 ms.
  private static var firstWaitMilliseconds: UInt { 100 }
  private static var doublingMaximum: UInt { 3 }
  /// A heap that grows later than this did not undo a purge but does something new.
  private static var regretMilliseconds: UInt { 300 }

  init() {}

  /// Notes that bytes became free.
  mutating func noteFreed(_ byteCount: UInt) { freedByteCount &+= byteCount }

  /// Notes that freed bytes came into use again.
  mutating func noteReused(_ byteCount: UInt) { freedByteCount &-= min(byteCount, freedByteCount) }

  /// Notes that bytes came into use that had no memory behind them.
  mutating func noteGrown(_ byteCount: UInt) {
    let before = grownByteCount
    grownByteCount &+= byteCount
    let half = purgedByteCount / 2
    guard before <= half, grownByteCount > half, half != 0 else { return }
    if millisecondsSincePurge < PurgePace.regretMilliseconds {
      doublingCount = min(doublingCount + 1, PurgePace.doublingMaximum)
    } else {
      doublingCount -= min(doublingCount, 1)
    }
  }

  /// Notes that bytes came into use, those that were freed before others.
  mutating func noteUsed(_ byteCount: UInt) {
    let reused = min(byteCount, freedByteCount)
    noteReused(reused)
    noteGrown(byteCount &- reused)
  }

  /// Whether memory must go back at once: more than an eighth of what is held, and `minimum`, is free. Of more than half
  /// a first regret is forgotten, and of more than three quarters no wait is long.
  func isDue(heldByteCount: UInt, minimum: UInt) -> Bool {
    guard freedByteCount > max(minimum, heldByteCount / 8) else { return false }
    if doublingCount < 2, freedByteCount > heldByteCount / 2 { return true }
    return hasWaited(regretWaitMilliseconds / (freedByteCount > heldByteCount / 4 * 3 ? 4 : 1))
  }

  /// Whether memory should go back: half as much is free, and the last purge was `delayMilliseconds` ago.
  func isDue(heldByteCount: UInt, minimum: UInt, delayMilliseconds: UInt) -> Bool {
    freedByteCount > max(minimum / 4, heldByteCount / 16) && hasWaited(max(delayMilliseconds, regretWaitMilliseconds))
  }

  /// How long ago the last purge was.
  var millisecondsSincePurge: UInt { UInt(lab_malloc_milliseconds()) &- purgedAtMilliseconds }

  /// How long regrets make the next purge wait.
  private var regretWaitMilliseconds: UInt {
    doublingCount == 0 ? 0 : PurgePace.firstWaitMilliseconds << (doublingCount - 1)
  }

  private func hasWaited(_ milliseconds: UInt) -> Bool { milliseconds == 0 || millisecondsSincePurge >= milliseconds }

  /// Notes a purge. One of less than an eighth of what is held is not worth a regret.
  mutating func notePurge(heldByteCount: UInt) {
    if grownByteCount <= purgedByteCount / 2 { doublingCount -= min(doublingCount, 1) }
    purgedByteCount = freedByteCount > heldByteCount / 8 ? freedByteCount : 0
    purgedAtMilliseconds = UInt(lab_malloc_milliseconds())
    freedByteCount = 0
    grownByteCount = 0
  }
}
