// When to purge, that is, when to return freed memory to the system. A purge that comes too late leaves the program
// with memory that it does not use. A purge that comes too early makes the system find, clear and map the same pages
// again, which costs a hundred times as much as the free did.
//
// A purge is due once an eighth of the memory held was freed and not used again, or once the owner holds an eighth less
// than at the last purge: memory that it gave up no longer counts as freed, but the wave of frees behind that leaves more
// than was counted. What the purge itself took counts as given up, too, since its wave of frees often goes on; but only
// some times in a row, or a heap with a steady turnover would purge for ever. A heap that shrinks is thus purged again and
// again, each time by a part of its former size, and holds little when the program falls idle.
//
// A heap that grows and shrinks in turns would pay every time. It therefore backs off. A purge is undone when the heap
// grows by half of the purged bytes. Undone within a fraction of a second, it doubles the wait for the next purge; undone
// later, or never, it halves the wait. After a single back-off, a purge of more than half of the heap still comes at once.
//
// Nothing here reads a clock: callers pass the time, in milliseconds of a clock that never goes back.

/// The event that may make a purge due.
package enum PurgeOccasion: Equatable {
  /// Memory was freed: purge when an eighth of the memory held is free.
  case free
  /// The owner was at work for a while: purge when half as much is free and the last purge is that long ago.
  case pause(delayMilliseconds: UInt)
  /// Another thread begins: purge when the last purge is that long ago. Each short-lived thread frees too little for a
  /// purge of its own.
  case newThread(delayMilliseconds: UInt)
  /// The program asked for it, or a request found no memory.
  case demand
}

/// How much memory one owner, a thread heap or a space's arenas, freed and used since its last purge, and when its next
/// purge is due.
package struct PurgeDecay {
  /// Bytes that were freed since the last purge and not used again.
  package private(set) var freedByteCount: UInt = 0
  /// Bytes that came into use since then and were not freed ones: the memory that a purge makes the system find again.
  private var grownByteCount: UInt = 0
  /// How many bytes the last purge took, and the time of that purge.
  private var purgedByteCount: UInt = 0
  package private(set) var purgedAtMilliseconds: UInt = 0
  /// How many bytes were held at the last purge, and how many purges came before that one, each soon after another.
  private var heldAtPurge: UInt = 0
  private var followUpCount: UInt = 0
  /// How often the wait for the next purge was doubled, 0 for no wait.
  private var backOffCount: UInt32 = 0
  /// How many purges were undone soon, modulo 2^32: a figure for telemetry alone.
  package var regretCount: UInt32 = 0

  /// The wait after the first back-off, and how many back-offs count: 100, 200, 400, 800, 1,600 ms.
  private static var firstWaitMilliseconds: UInt { 100 }
  private static var backOffMaximum: UInt32 { 5 }
  /// How often in a row what a purge took leads to the next one.
  private static var followUpMaximum: UInt { 13 }
  /// Growth later than this after a purge does not undo it, and a later purge does not follow it: the heap does something
  /// new.
  private static var undoneMilliseconds: UInt { 300 }

  package init() {}

  /// Notes that bytes became free.
  package mutating func noteFreed(_ byteCount: UInt) { freedByteCount &+= byteCount }

  /// Notes that freed bytes came into use again.
  package mutating func noteReused(_ byteCount: UInt) { freedByteCount &-= min(byteCount, freedByteCount) }

  /// Notes that memory came into use that was not there before, or was purged.
  package mutating func noteGrown(_ byteCount: UInt, now: @autoclosure () -> UInt) {
    let wasUndone = isUndone
    grownByteCount &+= byteCount
    guard isUndone, !wasUndone else { return }
    if now() &- purgedAtMilliseconds < PurgeDecay.undoneMilliseconds {
      backOffCount = min(backOffCount + 1, PurgeDecay.backOffMaximum)
      regretCount &+= 1
    } else {
      backOffCount -= min(backOffCount, 1)
    }
  }

  /// Notes that bytes came into use: freed ones first, then new ones.
  package mutating func noteUsed(_ byteCount: UInt, now: @autoclosure () -> UInt) {
    let reused = min(byteCount, freedByteCount)
    noteReused(reused)
    noteGrown(byteCount &- reused, now: now())
  }

  /// Whether a purge is due.
  /// - Parameters:
  ///   - heldByteCount: How many bytes the owner holds, free ones included.
  ///   - minimum: How many bytes must be free for a purge at once.
  package func isDue(
    _ occasion: PurgeOccasion, heldByteCount: UInt, minimum: UInt, now: @autoclosure () -> UInt
  ) -> Bool {
    switch occasion {
    case .free:
      let shrunkByteCount = heldAtPurge &- min(heldByteCount, heldAtPurge)
      guard freedByteCount > max(minimum, heldByteCount / 8) || shrunkByteCount > max(minimum, heldAtPurge / 8) else {
        return false
      }
      // Above half, the first back-off does not count. Above three quarters, the wait is a quarter as long.
      if backOffCount < 2, freedByteCount > heldByteCount / 2 { return true }
      return hasWaited(waitMilliseconds / (freedByteCount > heldByteCount / 4 * 3 ? 4 : 1), now: now())
    case .pause(let delayMilliseconds):
      return freedByteCount > max(minimum / 4, heldByteCount / 16)
        && hasWaited(max(delayMilliseconds, waitMilliseconds), now: now())
    case .newThread(let delayMilliseconds):
      return hasWaited(delayMilliseconds, now: now())
    case .demand:
      return true
    }
  }

  /// How long the back-off delays the next purge.
  private var waitMilliseconds: UInt {
    backOffCount == 0 ? 0 : PurgeDecay.firstWaitMilliseconds << (backOffCount - 1)
  }

  /// Whether the back-off lets another purge begin.
  package func mayBegin(now: @autoclosure () -> UInt) -> Bool { hasWaited(waitMilliseconds, now: now()) }

  private func hasWaited(_ milliseconds: UInt, now: @autoclosure () -> UInt) -> Bool {
    milliseconds == 0 || now() &- purgedAtMilliseconds >= milliseconds
  }

  /// Whether the owner grew by half of what the last purge took. A purge of less than an eighth is never undone.
  private var isUndone: Bool { grownByteCount > purgedByteCount / 2 && purgedByteCount > heldAtPurge / 8 }

  /// Notes that a purge begins.
  package mutating func notePurge(heldByteCount: UInt, now: UInt) {
    // A purge that the last one led to goes on with its account.
    if freedByteCount > heldByteCount / 8 || now &- purgedAtMilliseconds >= PurgeDecay.undoneMilliseconds {
      if !isUndone { backOffCount -= min(backOffCount, 1) }
      purgedByteCount = 0
      grownByteCount = 0
    }
    followUpCount = now &- purgedAtMilliseconds < PurgeDecay.undoneMilliseconds ? followUpCount &+ 1 : 0
    purgedAtMilliseconds = now
    heldAtPurge = heldByteCount
    freedByteCount = 0
  }

  /// Notes how many of the bytes held at its beginning the purge, or a piece of it, took.
  package mutating func notePurged(_ byteCount: UInt) {
    purgedByteCount &+= byteCount
    if followUpCount >= PurgeDecay.followUpMaximum { heldAtPurge -= min(byteCount, heldAtPurge) }
  }
}
