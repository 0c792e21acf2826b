import Foundation
import LabTestSupport
import Synchronization
import Testing

@testable import SpinLocks

/// Locks under many more threads than processors. `scripts/test-tsan` runs these under ThreadSanitizer, which reports
/// every access that the locks' orderings leave unordered.
@Suite(.serialized) struct LockContentionTests {
  private static let threadCount = 64
  private static let roundCount = 500

  /// Plain fields that only the holder of `lock` may touch: they expose lost updates and races.
  private final class Shared<Lock: LockKind & ~Copyable>: @unchecked Sendable {
    let lock = Lock()
    var first = 0
    var second = 0
    var insideCount = 0

    /// One visit: checks that it is alone and that the last visitor's writes are complete.
    func visit() {
      insideCount += 1
      precondition(insideCount == 1 && first == second)
      first += 1
      second += 1
      insideCount -= 1
    }
  }

  private func everyVisitCounts<Lock: LockKind & ~Copyable>(_: Lock.Type, roundCount: Int) {
    let shared = Shared<Lock>()
    Threads.run(Self.threadCount) { _ in
      for _ in 0..<roundCount { shared.lock.withLock { shared.visit() } }
    }
    #expect(shared.first == Self.threadCount * roundCount)
    #expect(shared.second == shared.first)
  }

  private func everyTriedVisitCounts<Lock: LockKind & ~Copyable>(_: Lock.Type) {
    let shared = Shared<Lock>()
    let granted = SharedCount()
    Threads.run(Self.threadCount) { _ in
      var count = 0
      for _ in 0..<Self.roundCount where shared.lock.withLockIfAvailable({ shared.visit() }) != nil { count += 1 }
      granted.count.withLock { $0 += count }
    }
    #expect(shared.first == granted.count.withLock { $0 })
    #expect(shared.first > 0)
  }

  private final class SharedCount: Sendable {
    let count = Locked(0)
  }

  @Test func everyVisitUnderASpinLockCounts() { everyVisitCounts(SpinLock.self, roundCount: Self.roundCount) }

  /// Fewer rounds: where threads outnumber processors, every handover in order waits for the scheduler.
  @Test func everyVisitUnderATicketLockCounts() { everyVisitCounts(TicketLock.self, roundCount: 20) }

  @Test func everyTriedVisitUnderASpinLockCounts() { everyTriedVisitCounts(SpinLock.self) }

  @Test func everyTriedVisitUnderATicketLockCounts() { everyTriedVisitCounts(TicketLock.self) }

  private final class SharedArray: Sendable {
    let numbers = Locked<[Int]>([])
  }

  @Test func aLockedArrayKeepsEveryElement() {
    let shared = SharedArray()
    Threads.run(Self.threadCount) { number in
      for _ in 0..<10 { shared.numbers.withLock { $0.append(number) } }
    }
    let numbers = shared.numbers.withLock { $0 }
    #expect(numbers.sorted() == (0..<Self.threadCount).flatMap { Array(repeating: $0, count: 10) })
  }

  /// A holder that sleeps while all others wait must run again: the waiters yield their processors.
  @Test func aSleepingHolderIsNotStarved() {
    let spin = Shared<SpinLock>()
    let ticket = Shared<TicketLock>()
    Threads.run(Self.threadCount) { number in
      spin.lock.withLock {
        if number % 16 == 0 { usleep(2000) }
        spin.visit()
      }
      ticket.lock.withLock {
        if number % 16 == 0 { usleep(2000) }
        ticket.visit()
      }
    }
    #expect(spin.first == Self.threadCount)
    #expect(ticket.first == Self.threadCount)
  }

  /// Threads that queue up while the lock is held enter in order of arrival.
  @Test func aTicketLockServesInOrder() {
    let shared = Shared<TicketLock>()
    let order = SharedArray()
    // SAFETY: unlocked below, by this thread, after all have queued up one after the other.
    unsafe shared.lock.lock()
    let ended = DispatchGroup()
    for number: UInt32 in 0..<8 {
      ended.enter()
      Thread.detachNewThread {
        shared.lock.withLock { order.numbers.withLock { $0.append(Int(number)) } }
        ended.leave()
      }
      // Ticket 0 is the holder's. The next thread starts once this one has drawn its ticket.
      while shared.lock.next.load(ordering: .relaxed) != number + 2 { usleep(100) }
    }
    unsafe shared.lock.unlock()
    ended.wait()
    #expect(order.numbers.withLock { $0 } == Array(0..<8))
  }
}
