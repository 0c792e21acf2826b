public import Synchronization

#if DEBUG
  internal import CLabPlatform
  public import Assertions
#endif

// A test-and-test-and-set lock.
//
// One word: 0 when free, otherwise the holder's mark. Taking the lock is one compare-and-exchange. A thread that finds
// it taken only reads until it looks free, which keeps the cache line shared among the waiters, and backs off between
// reads (`Backoff`). There is no queue: the first thread to try gets the lock. That is unfair, and the fastest handover
// when threads outnumber processors. `TicketLock` is the fair one.
//
// In debug builds the mark is the holder's thread number. This catches a thread that takes its own lock again, or
// releases one it does not hold. In release builds the mark is 1 and nothing is looked up.
//
// Source: Rudolph and Segall, "Dynamic Decentralized Cache Schemes for MIMD Parallel Processors", ISCA 1984.

/// A small, unfair spin lock: one word, one atomic instruction to lock and one plain store to unlock.
@frozen
public struct SpinLock: LockKind, ~Copyable {
  /// 0 when free, else the holder's mark.
  @usableFromInline let holder: Atomic<UInt>

  /// A lock that nobody holds.
  @_transparent
  public init() {
    holder = Atomic(0)
  }

  @unsafe @inlinable @inline(__always)
  public borrowing func lock() {
    guard !tryAcquire(as: SpinLock.mark) else { return }
    lockContended()
  }

  @unsafe @inlinable @inline(__always)
  public borrowing func tryLock() -> Bool {
    tryAcquire(as: SpinLock.mark)
  }

  @unsafe @inlinable @inline(__always)
  public borrowing func unlock() {
    #if DEBUG
      // Relaxed: a thread always sees its own mark; any other value, however old, is not its own.
      require(
        holder.load(ordering: .relaxed) == SpinLock.mark, "a spin lock must be unlocked by the thread that holds it")
    #endif
    // Releasing: pairs with the next holder's acquiring exchange in `tryAcquire`, which thus sees all writes made under
    // the lock.
    holder.store(0, ordering: .releasing)
  }

  /// Waits for a lock that was found taken, and takes it.
  @usableFromInline @inline(never)
  borrowing func lockContended() {
    let mark = SpinLock.mark
    var backoff = Backoff()
    repeat {
      // Relaxed: only a hint that an exchange may succeed; the exchange synchronises.
      var seen = holder.load(ordering: .relaxed)
      while seen != 0 {
        #if DEBUG
          require(seen != mark, "a spin lock was taken again by the thread that holds it")
        #endif
        backoff.wait()
        seen = holder.load(ordering: .relaxed)
      }
    } while !tryAcquire(as: mark)
  }

  /// Takes the lock if it is free.
  @inlinable @inline(__always)
  borrowing func tryAcquire(as mark: UInt) -> Bool {
    // Acquiring: pairs with the releasing store in `unlock`, and makes the last holder's writes visible. Relaxed on
    // failure: a thread reads nothing under a lock it did not take.
    holder.compareExchange(
      expected: 0, desired: mark, successOrdering: .acquiring, failureOrdering: .relaxed
    ).exchanged
  }

  /// The calling thread's mark in a lock that it holds.
  #if DEBUG
    @usableFromInline static var mark: UInt { UInt(lab_platform_thread()) }
  #else
    @inlinable static var mark: UInt { 1 }
  #endif
}
