public import Synchronization

#if DEBUG
  internal import CLabPlatform
  public import Assertions
#endif

// A test-and-test-and-set lock.
//
// One word: 0 when free, otherwise the holder's mark. Taking it is one compare-and-exchange. A thread that finds it
// taken only reads until it looks free, so that the cache line stays shared among the waiters, and backs off between
// reads (`Backoff`). There is no queue: whoever comes first gets it, which is the fastest way to hand a lock over when
// threads outnumber processors, and unfair. `TicketLock` is the fair one.
//
// In debug builds the mark is the holder's thread number, so that a thread that takes its own lock again, or
// gives back one that it does not hold, is found; in release builds it is 1, and nothing is looked up.
//
// Source: Rudolph and Segall, "Dynamic Decentralized Cache Schemes for MIMD Parallel Processors", ISCA 1984.

/// A small, unfair spin lock: one word, one atomic instruction to take and one plain store to give back.
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
    // Releasing: pairs with the acquiring exchange of the next holder in `tryAcquire`, which thereby sees everything
    // written under the lock.
    holder.store(0, ordering: .releasing)
  }

  /// Takes a lock that was found taken.
  @usableFromInline @inline(never)
  borrowing func lockContended() {
    let mark = SpinLock.mark
    var backoff = Backoff()
    repeat {
      // Relaxed: only a hint that an exchange may succeed; the exchange is what synchronises.
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
    // Acquiring: pairs with the releasing store in `unlock`, so that what the last holder wrote is seen. Relaxed on
    // failure: nothing is read under a lock that was not taken.
    holder.compareExchange(
      expected: 0, desired: mark, successOrdering: .acquiring, failureOrdering: .relaxed
    ).exchanged
  }

  /// What the calling thread writes into a lock that it holds.
  #if DEBUG
    @usableFromInline static var mark: UInt { UInt(lab_platform_thread()) }
  #else
    @inlinable static var mark: UInt { 1 }
  #endif
}
