internal import CLabMalloc

// When to give freed memory back. Too late, and the program holds what it does not use; too early, and the system must
// find, clear and map the same pages again, which costs a hundred times what the free did.
//
// A heap gives back when much of what it holds was freed and not used again. A heap that shrinks is thus purged again
// and again, each time for a part of what it was, and what stays behind when the program falls idle is small. A heap that
// breathes would pay for every breath; so it learns. A purge that the heap undid, by growing within a second by half of
// what was given back, doubles what must be free for the next one; each second without a purge halves it again.

/// What one owner of memory, a thread heap or the arenas, freed and used since it last gave memory back.
struct PurgePace {
  /// Bytes that were freed since the last purge and not used again.
  private(set) var freedByteCount: UInt = 0
  /// Bytes that came into use since then beyond those: what a purge must let the system find again.
  private var grownByteCount: UInt = 0
  /// What the last purge found freed, and when it was.
  private var purgedByteCount: UInt = 0
  private var purgedAtMilliseconds: UInt = 0
  /// How often what must be free was doubled.
  private var doublingCount: UInt = 0

  private static var doublingMaximum: UInt { 6 }

  init() {}

  /// Notes that bytes became free.
  mutating func noteFreed(_ byteCount: UInt) { freedByteCount &+= byteCount }

  /// Notes that bytes came into use, those that were freed last first.
  mutating func noteUsed(_ byteCount: UInt) {
    let reused = min(byteCount, freedByteCount)
    freedByteCount &-= reused
    grownByteCount &+= byteCount &- reused
  }

  /// Whether so much is free that memory must go back at once: more than a quarter of what is held, and `minimum`.
  func isDue(heldByteCount: UInt, minimum: UInt) -> Bool {
    let threshold = max(minimum, heldByteCount / 4)
    guard freedByteCount > threshold else { return false }
    return doublingCount == 0 || freedByteCount > threshold << doublings(at: UInt(lab_malloc_milliseconds()))
  }

  /// Whether half as much as for ``isDue(heldByteCount:minimum:)``, or a quarter of the minimum, is free and the last
  /// purge was `delayMilliseconds` ago.
  func isDue(heldByteCount: UInt, minimum: UInt, delayMilliseconds: UInt) -> Bool {
    let threshold = max(minimum / 4, heldByteCount / 8)
    guard freedByteCount > threshold else { return false }
    let now = UInt(lab_malloc_milliseconds())
    return now &- purgedAtMilliseconds >= delayMilliseconds && freedByteCount > threshold << doublings(at: now)
  }

  /// Notes a purge.
  mutating func notePurge() {
    let now = UInt(lab_malloc_milliseconds())
    let wasUndone = grownByteCount > purgedByteCount / 2 && purgedByteCount != 0
    doublingCount = doublings(at: now)
    if wasUndone, now &- purgedAtMilliseconds < 1000 {
      doublingCount = min(doublingCount + 1, PurgePace.doublingMaximum)
    }
    purgedByteCount = freedByteCount
    purgedAtMilliseconds = now
    freedByteCount = 0
    grownByteCount = 0
  }

  private func doublings(at now: UInt) -> UInt {
    doublingCount &- min(doublingCount, (now &- purgedAtMilliseconds) / 1000)
  }
}
