internal import CLabPlatform
internal import Synchronization

/// A function that a thread calls between looks at a taken lock; the argument counts the turns of its wait.
package typealias LockWait = @convention(c) (UInt32) -> Void

/// A spin lock that knows its holder.
///
/// A child of fork needs the holder: a lock whose holder does not exist in the child guards something that was being
/// changed when the process was copied. A signal handler needs it too: it may have interrupted its own thread inside
/// the lock, and a wait would never end.
package struct HeapLock: ~Copyable {
  /// 0 when free, else the holder's `lab_platform_thread()`.
  private let holder = Atomic<UInt>(0)

  package init() {}

  /// Takes the lock; false when this thread holds it already. During a long wait it calls `wait` between looks.
  package borrowing func acquire(_ wait: LockWait) -> Bool {
    let me = UInt(lab_platform_thread())
    while true {
      // Acquire pairs with the release in `release()`.
      let (taken, seen) = holder.compareExchange(
        expected: 0, desired: me, successOrdering: .acquiring, failureOrdering: .relaxed)
      if taken { return true }
      if seen == me { return false }
      spin(wait)
    }
  }

  /// What a look at the lock led to.
  package enum Attempt {
    /// This thread took the lock.
    case taken
    /// This thread holds it already.
    case mine
    /// Another thread holds it.
    case contended
  }

  /// How often `tryAcquire` looks: longer than most holders need.
  package static var attemptMaximum: Int { 64 }

  /// Takes the lock if it is free, or becomes free within `attemptCount` looks.
  package borrowing func tryAcquire(attemptCount: Int = HeapLock.attemptMaximum) -> Attempt {
    let me = UInt(lab_platform_thread())
    for _ in 0..<attemptCount {
      // Acquire pairs with the release in `release()`.
      let (taken, seen) = holder.compareExchange(
        expected: 0, desired: me, successOrdering: .acquiring, failureOrdering: .relaxed)
      if taken { return .taken }
      if seen == me { return .mine }
      lab_platform_relax()
    }
    return .contended
  }

  /// Waits until the lock is free.
  @inline(never)
  private borrowing func spin(_ wait: LockWait) {
    var spinCount: UInt32 = 0
    while holder.load(ordering: .relaxed) != 0 {
      spinCount &+= 1
      if spinCount & 63 != 0 {
        lab_platform_relax()
      } else {
        wait(spinCount >> 6)
      }
    }
  }

  /// Releases the lock.
  package borrowing func release() {
    // Release pairs with the acquire in `acquire(_:)`.
    holder.store(0, ordering: .releasing)
  }

  /// Whether a thread other than `survivor` holds the lock: in a child of fork, a thread that does not exist there.
  /// - Parameter survivor: The number of the only thread that fork copied, or the address in that number.
  package borrowing func isHeld(byOtherThan survivor: UInt) -> Bool {
    // Acquire pairs with the release in `release()`.
    let holder = holder.load(ordering: .acquiring)
    return holder != 0 && holder != survivor && holder & UInt(LAB_PLATFORM_THREAD_ADDRESS) != survivor
  }
}
