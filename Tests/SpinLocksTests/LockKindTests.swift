import SpinLocks
import Testing

/// The duties of every kind of lock on a single thread; ``LockContentionTests`` has the threads.
@Suite struct LockKindTests {
  @Test func aSpinLockCanBeTakenAndGivenBack() {
    takeAndGiveBack(SpinLock())
  }

  @Test func aTicketLockCanBeTakenAndGivenBack() {
    takeAndGiveBack(TicketLock())
  }

  private func takeAndGiveBack(_ lock: borrowing some LockKind & ~Copyable) {
    // SAFETY: each lock is followed by one unlock on this thread.
    unsafe lock.lock()
    let takenWhileHeld = unsafe lock.tryLock()
    #expect(!takenWhileHeld)
    unsafe lock.unlock()
    let takenWhileFree = unsafe lock.tryLock()
    #expect(takenWhileFree)
    let takenTwice = unsafe lock.tryLock()
    #expect(!takenTwice)
    unsafe lock.unlock()
    for _ in 0..<1000 {
      unsafe lock.lock()
      unsafe lock.unlock()
    }
    let five = lock.withLock { 5 }
    #expect(five == 5)
    let six = lock.withLockIfAvailable { 6 }
    #expect(six == 6)
    let inner: Int? = lock.withLock { lock.withLockIfAvailable { 7 } }
    #expect(inner == nil)
  }

  @Test func aSpinLockIsOneWord() {
    #expect(MemoryLayout<SpinLock>.size == MemoryLayout<UInt>.size)
  }
}
