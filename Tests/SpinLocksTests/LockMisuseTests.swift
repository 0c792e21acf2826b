import Foundation
import LabTestSupport
import SpinLocks
import Testing

#if DEBUG
  /// The misuses that debug builds detect. Each must kill its own process.
  @Suite struct LockMisuseTests {
    @Test func aSpinLockTakenAgainByItsHolderEndsTheProcess() async {
      let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
        let lock = SpinLock()
        lock.withLock { lock.withLock {} }
      }
      #expect(text(of: result) == "heaplab: a spin lock was taken again by the thread that holds it\n")
    }

    @Test func aTicketLockTakenAgainByItsHolderEndsTheProcess() async {
      let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
        let lock = TicketLock()
        lock.withLock { lock.withLock {} }
      }
      #expect(text(of: result) == "heaplab: a ticket lock was taken again by the thread that holds it\n")
    }

    @Test func aLockedValueReachedFromWithinEndsTheProcess() async {
      let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
        let locked = Locked(1)
        locked.withLock { _ in locked.withLock { $0 += 1 } }
      }
      #expect(text(of: result) == "heaplab: a spin lock was taken again by the thread that holds it\n")
    }

    @Test func aSpinLockThatIsFreeCannotBeUnlocked() async {
      let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
        let lock = SpinLock()
        unsafe lock.unlock()
      }
      #expect(text(of: result) == "heaplab: a spin lock must be unlocked by the thread that holds it\n")
    }

    @Test func aSpinLockOfAnotherThreadCannotBeUnlocked() async {
      let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
        let shared = SharedLocks()
        unsafe shared.spin.lock()
        Threads.run(1) { _ in unsafe shared.spin.unlock() }
      }
      #expect(text(of: result) == "heaplab: a spin lock must be unlocked by the thread that holds it\n")
    }

    @Test func aTicketLockOfAnotherThreadCannotBeUnlocked() async {
      let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
        let shared = SharedLocks()
        unsafe shared.ticket.lock()
        Threads.run(1) { _ in unsafe shared.ticket.unlock() }
      }
      #expect(text(of: result) == "heaplab: a ticket lock must be unlocked by the thread that holds it\n")
    }
  }

  /// One lock of each kind that threads can share.
  private final class SharedLocks: Sendable {
    let spin = SpinLock()
    let ticket = TicketLock()
  }
#endif
