import SpinLocks
import Synchronization
import Testing

/// The error that `body` throws in these tests.
private enum Refusal: Error, Equatable {
  case refused
}

/// A value that cannot be copied and counts its destructions.
private struct Token: ~Copyable {
  let weight: Int
  var uses = 0

  static let endedWeight = Atomic<Int>(0)

  deinit { Token.endedWeight.wrappingAdd(weight, ordering: .relaxed) }
}

/// More scalars than Swift's optimiser splits up.
private struct Wide: ~Copyable {
  var first = 1
  var second = 2
  var third = 3
  var fourth = 4
  var fifth = 5
  var sixth = 6
  var seventh = 7
  var eighth = 8

  init() {
    first = 11
  }
}

/// The same width, but copyable.
private struct WideCopy {
  var numbers: (Int, Int, Int, Int, Int, Int, Int, Int)

  init() {
    numbers = (1, 2, 3, 4, 5, 6, 7, 8)
  }
}

private struct Small: ~Copyable {
  var first = 1
  var second: UInt? = 2
}

private let global = Locked(41)
private let globalWide = Locked(Wide())
private let globalCopy = Locked(WideCopy())
private let globalToken = Locked(Token(weight: 0, uses: 3))
private let globalArray = LockedBy<TicketLock, [Int]>([1, 2, 3])
private let globalConstant = unsafe Locked(constant: Small())

@Suite struct LockedByTests {
  /// In optimised builds the compiler lays out some of these.
  @Test func everyGlobalStartsWithItsValue() {
    #expect(globalWide.withLock { $0.first == 11 && $0.second == 2 && $0.eighth == 8 })
    #expect(globalCopy.withLock { $0.numbers.0 == 1 && $0.numbers.7 == 8 })
    #expect(globalToken.withLock { $0.uses } == 3)
    #expect(globalArray.withLock { $0 } == [1, 2, 3])
    #expect(globalConstant.withLock { $0.first == 1 && $0.second == 2 })
  }

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
    // The lock was released, and the writes before the error remain.
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
