import SpinLocks
import Synchronization
import Testing

/// What `body` throws in these tests.
private enum Refusal: Error, Equatable {
  case refused
}

/// A value that cannot be copied and counts its ends.
private struct Token: ~Copyable {
  let weight: Int
  var uses = 0

  static let endedWeight = Atomic<Int>(0)

  deinit { Token.endedWeight.wrappingAdd(weight, ordering: .relaxed) }
}

private let global = Locked(41)

@Suite struct LockedByTests {
  @Test func aGlobalKeepsWhatIsWritten() {
    global.withLock { $0 += 1 }
    #expect(global.withLock { $0 } == 42)
  }

  @Test func withLockPassesTheResultOutAndTheErrorThrough() {
    let locked = Locked(7)
    #expect(locked.withLock { value in value * 2 } == 14)
    #expect(throws: Refusal.refused) {
      try locked.withLock { (value) throws(Refusal) in
        value = 8
        throw .refused
      }
    }
    // The lock was given back, and what was written before the error stays.
    #expect(locked.withLockIfAvailable { $0 } == 8)
  }

  @Test func withLockIfAvailableReturnsNilWhileTheLockIsHeld() {
    let locked = Locked(7)
    let inner = locked.withLock { _ in locked.withLockIfAvailable { $0 } }
    #expect(inner == nil)
    #expect(locked.withLockIfAvailable { $0 } == 7)
  }

  @Test func withLockIfAvailablePassesTheErrorThrough() {
    let locked = LockedBy<TicketLock, Int>(7)
    #expect(throws: Refusal.refused) {
      _ = try locked.withLockIfAvailable { (_) throws(Refusal) in throw .refused }
    }
    #expect(locked.withLockIfAvailable { $0 } == 7)
  }

  @Test func aNoncopyableValueIsReplacedAndEndedOnce() {
    Token.endedWeight.store(0, ordering: .relaxed)
    do {
      let locked = LockedBy<TicketLock, Token>(Token(weight: 1))
      locked.withLock { $0.uses += 1 }
      #expect(locked.withLock { $0.uses } == 1)
      locked.withLock { $0 = Token(weight: 100) }
      #expect(Token.endedWeight.load(ordering: .relaxed) == 1)
      #expect(locked.withLock { $0.uses } == 0)
    }
    #expect(Token.endedWeight.load(ordering: .relaxed) == 101)
  }

  @Test func anOptionalNoncopyableValueIsTakenOut() {
    let locked = Locked<Token?>(Token(weight: 0, uses: 5))
    let uses = locked.withLock { token in
      guard let taken = token.take() else { return 0 }
      return taken.uses
    }
    #expect(uses == 5)
    #expect(locked.withLock { $0 == nil })
  }

  @Test func aLockedCostsItsLockAndItsValue() {
    #expect(MemoryLayout<Locked<UInt>>.size == 2 * MemoryLayout<UInt>.size)
    #expect(MemoryLayout<Locked<UInt8>>.size == MemoryLayout<UInt>.size + 1)
  }
}
