import Testing

@testable import HeapBlocks

/// An owner of `heldByteCount` bytes, and a clock that stands where a test puts it.
private struct Owner {
  var decay = PurgeDecay()
  var now: UInt = 1_000_000
  var purgedAt: UInt = 1_000_000
  var heldByteCount: UInt = 8 << 20
  var minimum: UInt = 0

  /// Whether a purge is due so long after the last one.
  func isDue(_ occasion: PurgeOccasion = .free, after milliseconds: UInt = 0) -> Bool {
    decay.isDue(occasion, heldByteCount: heldByteCount, minimum: minimum, now: purgedAt + milliseconds)
  }

  /// Frees a part of what is held.
  mutating func free(eighths: UInt) { decay.noteFreed(heldByteCount / 8 * eighths) }

  /// Purges what is free; the owner then holds as much as before.
  mutating func purge() {
    purgedAt = now
    let freedByteCount = decay.freedByteCount
    decay.notePurge(heldByteCount: heldByteCount, now: now)
    decay.notePurged(freedByteCount)
  }

  /// Frees a quarter of what is held, purges, and grows a while later.
  mutating func purgeAndGrow(by grownByteCount: UInt, after milliseconds: UInt) {
    free(eighths: 2)
    purge()
    now += milliseconds
    decay.noteGrown(grownByteCount, now: now)
  }

  /// Does the same with a purge that is undone at once.
  mutating func undoPurge() { purgeAndGrow(by: heldByteCount / 8 + 1, after: 0) }

  /// How many milliseconds lie between the last purge and the next one, if slightly more than so many eighths are free.
  func wait(eighthsFreed: UInt) -> UInt? {
    var copy = self
    copy.free(eighths: eighthsFreed)
    copy.decay.noteFreed(1)
    return (0...2000).first { copy.isDue(after: $0) }
  }
}

/// When memory goes back. Each test passes the time.
@Suite("Purge decay")
struct PurgeDecayTests {
  @Test("A purge is due at once above an eighth, not at it")
  func eighth() {
    var owner = Owner()
    #expect(!owner.isDue())
    owner.free(eighths: 1)
    #expect(!owner.isDue())
    owner.decay.noteFreed(1)
    #expect(owner.isDue())
    owner.heldByteCount += 8
    #expect(!owner.isDue())
  }

  @Test("A purge is due once an eighth less is held than at the last one, not before, and not below the minimum")
  func shrinks() {
    var owner = Owner()
    owner.purge()
    owner.heldByteCount = 7 << 20
    #expect(!owner.isDue())
    owner.heldByteCount -= 1
    #expect(owner.isDue())
    owner.minimum = (1 << 20) + 1
    #expect(!owner.isDue())
    owner.purge()
    owner.minimum = 0
    #expect(!owner.isDue(), "what is held now counts from the last purge on")
    owner.heldByteCount = 9 << 20
    #expect(!owner.isDue(), "growth is no reason")
  }

  @Test("Less than the minimum is never due at once")
  func minimum() {
    var owner = Owner()
    owner.minimum = 4 << 20
    owner.free(eighths: 4)
    #expect(!owner.isDue())
    owner.decay.noteFreed(1)
    #expect(owner.isDue())
  }

  @Test("Bytes that are used again are not free, and those beyond them are growth")
  func reuse() {
    var owner = Owner()
    owner.free(eighths: 2)
    owner.decay.noteReused(owner.heldByteCount / 8)
    #expect(owner.decay.freedByteCount == owner.heldByteCount / 8)
    owner.decay.noteReused(.max)
    #expect(owner.decay.freedByteCount == 0)
    // Half of what the purge took, plus one, only beyond what was freed since.
    owner.free(eighths: 2)
    owner.purge()
    owner.decay.noteFreed(100)
    owner.decay.noteUsed(100 + owner.heldByteCount / 8, now: owner.now)
    #expect(owner.decay.freedByteCount == 0 && owner.wait(eighthsFreed: 2) == 0)
    owner.decay.noteUsed(1, now: owner.now)
    #expect(owner.wait(eighthsFreed: 2) == 100)
  }

  @Test("At a pause half as much is enough, once the last purge is the delay ago", arguments: [0, 1, 100, 5000])
  func pause(delay: UInt) {
    var owner = Owner()
    owner.purge()
    owner.decay.noteFreed(owner.heldByteCount / 16)
    #expect(!owner.isDue(.pause(delayMilliseconds: delay), after: 10_000))
    owner.decay.noteFreed(1)
    #expect(owner.isDue(.pause(delayMilliseconds: delay), after: delay))
    if delay > 0 { #expect(!owner.isDue(.pause(delayMilliseconds: delay), after: delay - 1)) }
    #expect(!owner.isDue(.free, after: 10_000))
    owner.minimum = 4 * owner.heldByteCount
    #expect(!owner.isDue(.pause(delayMilliseconds: delay), after: 10_000), "a quarter of the minimum at least")
  }

  @Test("A pause waits for the back-off too")
  func pauseBacksOff() {
    var owner = Owner()
    owner.undoPurge()
    owner.undoPurge()
    owner.free(eighths: 1)
    #expect(!owner.isDue(.pause(delayMilliseconds: 10), after: 199))
    #expect(owner.isDue(.pause(delayMilliseconds: 10), after: 200))
    #expect(!owner.isDue(.pause(delayMilliseconds: 300), after: 299))
    #expect(owner.isDue(.pause(delayMilliseconds: 300), after: 300))
  }

  @Test("Each purge that is undone doubles the wait: from 100 ms to 1,600 ms")
  func backOffDoubles() {
    var owner = Owner()
    #expect(owner.wait(eighthsFreed: 2) == 0)
    for expected in [100, 200, 400, 800, 1600, 1600] as [UInt] {
      owner.undoPurge()
      #expect(owner.wait(eighthsFreed: 2) == expected)
    }
  }

  @Test("A purge that is undone late halves the wait")
  func lateGrowth() {
    var owner = Owner()
    for _ in 0..<3 { owner.undoPurge() }
    for expected in [200, 100, 0, 0] as [UInt] {
      owner.purgeAndGrow(by: owner.heldByteCount / 8 + 1, after: 300)
      #expect(owner.wait(eighthsFreed: 2) == expected)
    }
  }

  @Test("A purge that is never undone halves the wait")
  func noGrowth() {
    var owner = Owner()
    for _ in 0..<3 { owner.undoPurge() }
    // The first of these only learns that the one before it was undone.
    for expected in [400, 200, 100, 0, 0] as [UInt] {
      owner.free(eighths: 2)
      owner.purge()
      #expect(owner.wait(eighthsFreed: 2) == expected)
    }
  }

  @Test("What a purge took leads to the next one, thirteen times in a row and not once more until 300 ms have passed")
  func purgesFollow() {
    var owner = Owner()
    /// Purges a quarter of what is held; whether that alone makes another purge due.
    func purgeLeadsToAnother(after milliseconds: UInt) -> Bool {
      owner.now += milliseconds
      owner.purgedAt = owner.now
      owner.decay.notePurge(heldByteCount: owner.heldByteCount, now: owner.now)
      owner.decay.notePurged(owner.heldByteCount / 4)
      owner.heldByteCount -= owner.heldByteCount / 4
      return owner.isDue()
    }
    let first = (0..<16).map { _ in purgeLeadsToAnother(after: 299) }
    #expect(first.prefix { $0 }.count == 13 && !first.suffix(3).contains(true))
    #expect(purgeLeadsToAnother(after: 300))
  }

  @Test("A purge that the last one led to goes on with its account: growth of half of what both took undoes them")
  func purgesThatFollowShareAnAccount() {
    var owner = Owner()
    for step in 0..<2 {
      owner.now += UInt(step)
      owner.purgedAt = owner.now
      owner.decay.notePurge(heldByteCount: owner.heldByteCount, now: owner.now)
      owner.decay.notePurged(owner.heldByteCount / 4)
    }
    owner.decay.noteGrown(owner.heldByteCount / 4, now: owner.now)
    #expect(owner.wait(eighthsFreed: 2) == 0)
    owner.decay.noteGrown(1, now: owner.now)
    #expect(owner.wait(eighthsFreed: 2) == 100)
    // A purge of what was freed begins anew.
    owner.purgeAndGrow(by: owner.heldByteCount / 8 + 1, after: 0)
    #expect(owner.wait(eighthsFreed: 2) == 200)
  }

  @Test("The back-off alone decides where another owner's purge leads to this one's")
  func mayBegin() {
    var owner = Owner()
    #expect(owner.decay.mayBegin(now: owner.purgedAt))
    owner.undoPurge()
    #expect(!owner.decay.mayBegin(now: owner.purgedAt + 99))
    #expect(owner.decay.mayBegin(now: owner.purgedAt + 100))
  }

  @Test("Growth of half of what went back, within 300 ms, undoes a purge: no less and no later")
  func undone() {
    func wait(grownByteCount: UInt, after milliseconds: UInt) -> UInt? {
      var owner = Owner()
      owner.purgeAndGrow(by: grownByteCount, after: milliseconds)
      return owner.wait(eighthsFreed: 2)
    }
    let half = Owner().heldByteCount / 8
    #expect(wait(grownByteCount: half + 1, after: 0) == 100)
    #expect(wait(grownByteCount: half + 1, after: 299) == 100)
    #expect(wait(grownByteCount: half + 1, after: 300) == 0)
    #expect(wait(grownByteCount: half, after: 0) == 0)
  }

  @Test("Growth in many small steps undoes a purge once")
  func undoneOnce() {
    var owner = Owner()
    owner.free(eighths: 2)
    owner.purge()
    for _ in 0..<64 { owner.decay.noteGrown(owner.heldByteCount / 64, now: owner.now) }
    #expect(owner.wait(eighthsFreed: 2) == 100)
  }

  @Test("A purge of less than an eighth is no reason to back off")
  func smallPurge() {
    var owner = Owner()
    owner.free(eighths: 1)
    owner.purge()
    owner.decay.noteGrown(owner.heldByteCount, now: owner.now)
    #expect(owner.wait(eighthsFreed: 2) == 0)
  }

  @Test("The first back-off does not count above half; above three quarters a wait is a quarter as long")
  func muchIsFree() {
    var owner = Owner()
    owner.undoPurge()
    #expect([3, 4, 5, 7].map { owner.wait(eighthsFreed: $0) } == [100, 0, 0, 0])
    owner.undoPurge()
    #expect([3, 4, 5, 6, 7].map { owner.wait(eighthsFreed: $0) } == [200, 200, 200, 50, 50])
    owner.undoPurge()
    #expect([3, 4, 5, 6, 7].map { owner.wait(eighthsFreed: $0) } == [400, 400, 400, 100, 100])
  }

  @Test("For a new thread the time alone decides, and the program's demand is always due")
  func newThreadAndDemand() {
    var owner = Owner()
    for _ in 0..<3 { owner.undoPurge() }
    #expect(owner.isDue(.demand))
    #expect(!owner.isDue(.newThread(delayMilliseconds: 50), after: 49))
    #expect(owner.isDue(.newThread(delayMilliseconds: 50), after: 50))
    #expect(owner.isDue(.newThread(delayMilliseconds: 0)))
  }

  @Test("A purge starts the count again")
  func purgeForgets() {
    var owner = Owner()
    owner.free(eighths: 8)
    #expect(owner.isDue())
    owner.purge()
    #expect(owner.decay.freedByteCount == 0 && !owner.isDue(after: 10_000))
  }

  @Test("The clock is read only where there is a wait")
  func clockIsReadSeldom() {
    var owner = Owner()
    var readCount = 0
    func clock() -> UInt {
      readCount += 1
      return owner.now
    }
    owner.free(eighths: 2)
    for occasion in [PurgeOccasion.free, .demand, .newThread(delayMilliseconds: 0)] {
      _ = owner.decay.isDue(occasion, heldByteCount: owner.heldByteCount, minimum: 0, now: clock())
    }
    #expect(readCount == 0)
  }
}
