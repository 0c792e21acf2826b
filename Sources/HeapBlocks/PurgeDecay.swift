// When to give freed memory back. Too late, and the program holds memory that it does not use. Too early, and the system
// must find, clear and map the same pages again, which costs a hundred times what the free did.
//
// A purge is due once an eighth of the memory held was freed and not used again. A heap that shrinks is thus purged again
// and again, each time for a part of what it was, and little stays behind when the program falls idle. A heap that grows
// and shrinks in turns would pay every time. It therefore backs off: a purge that the heap undoes within a fraction of a
// second, by growing by half of what was given back, doubles the time until the next purge. A purge that the heap undoes
// later, or never, halves that time. After a single back-off, a purge of more than half of the heap still comes at once.
//
// Nothing here reads a clock: callers pass the time, in milliseconds of a clock that never goes back.

/// Why memory may have to go back now.
package enum PurgeOccasion: Equatable {
  /// Something was freed: purge when an eighth of what is held is free.
  case free
  /// The owner was at work for a while: purge when half as much is free, and the last purge was that long ago.
  case pause(delayMilliseconds: UInt)
  /// Another thread begins: purge when the last purge was that long ago. Threads that live shortly free too little each
  /// for a purge of their own.
  case newThread(delayMilliseconds: UInt)
  /// The program asked for it, or a request found no memory.
  case demand
}

/// How much memory one owner, a thread heap or a space's arenas, freed and used since its last purge, and when the next
/// purge is due.
package struct PurgeDecay {
  /// Bytes that were freed since the last purge and not used again.
  package private(set) var freedByteCount: UInt = 0
  /// Bytes beyond those that came into use since then: what a purge makes the system find again.
  private var grownByteCount: UInt = 0
  /// How many bytes the last purge found free, 0 when they were few, and when it was.
  private var purgedByteCount: UInt = 0
  private var purgedAtMilliseconds: UInt = 0
  /// How often the wait for the next purge was doubled: 0 for no wait.
  private var backOffCount: UInt = 0

  /// The wait after the first back-off, and how often it may double: 100 to 400 ms.
  private static var firstWaitMilliseconds: UInt { 100 }
  private static var backOffMaximum: UInt { 3 }
  /// A heap that grows later than this after a purge did not undo it but does something new.
  private static var undoneMilliseconds: UInt { 300 }

  package init() {}

  /// Notes that bytes became free.
  package mutating func noteFreed(_ byteCount: UInt) { freedByteCount &+= byteCount }

  /// Notes that freed bytes came into use again.
  package mutating func noteReused(_ byteCount: UInt) { freedByteCount &-= min(byteCount, freedByteCount) }

  /// Notes that bytes without memory behind them came into use.
  package mutating func noteGrown(_ byteCount: UInt, now: @autoclosure () -> UInt) {
    let before = grownByteCount
    grownByteCount &+= byteCount
    let half = purgedByteCount / 2
    guard before <= half, grownByteCount > half, half != 0 else { return }
    if now() &- purgedAtMilliseconds < PurgeDecay.undoneMilliseconds {
      backOffCount = min(backOffCount + 1, PurgeDecay.backOffMaximum)
    } else {
      backOffCount -= min(backOffCount, 1)
    }
  }

  /// Notes that bytes came into use, freed ones first.
  package mutating func noteUsed(_ byteCount: UInt, now: @autoclosure () -> UInt) {
    let reused = min(byteCount, freedByteCount)
    noteReused(reused)
    noteGrown(byteCount &- reused, now: now())
  }

  /// Whether this is the time to purge.
  /// - Parameters:
  ///   - heldByteCount: How many bytes the owner holds, free ones included.
  ///   - minimum: How many bytes must be free for a purge at once.
  package func isDue(
    _ occasion: PurgeOccasion, heldByteCount: UInt, minimum: UInt, now: @autoclosure () -> UInt
  ) -> Bool {
    switch occasion {
    case .free:
      guard freedByteCount > max(minimum, heldByteCount / 8) else { return false }
      // Above half, the first back-off does not count. Above three quarters, a wait is a quarter as long.
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

  /// How long the back-off makes the next purge wait.
  private var waitMilliseconds: UInt {
    backOffCount == 0 ? 0 : PurgeDecay.firstWaitMilliseconds << (backOffCount - 1)
  }

  private func hasWaited(_ milliseconds: UInt, now: @autoclosure () -> UInt) -> Bool {
    milliseconds == 0 || now() &- purgedAtMilliseconds >= milliseconds
  }

  /// Notes a purge. One of less than an eighth of what is held is not worth a back-off.
  package mutating func notePurge(heldByteCount: UInt, now: UInt) {
    if grownByteCount <= purgedByteCount / 2 { backOffCount -= min(backOffCount, 1) }
    purgedByteCount = freedByteCount > heldByteCount / 8 ? freedByteCount : 0
    purgedAtMilliseconds = now
    freedByteCount = 0
    grownByteCount = 0
  }
}
