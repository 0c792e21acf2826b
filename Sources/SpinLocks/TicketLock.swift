public import Synchronization

#if DEBUG
  internal import CLabPlatform
  public import Assertions
#endif

// A ticket lock.
//
// Two counters: the next ticket to draw and the ticket being served. A thread draws a ticket and waits until that is
// served; on leaving, the holder serves the next one. Threads thus enter in order of arrival:
//
//   served <= next (modulo 2^32);   the lock is free   <=>   served == next
//
// Fairness has a price when threads outnumber processors: only one thread can be next, and while it is not running, all
// others wait for the scheduler. Hence the yield in `Backoff`: without it, waiters would burn the very processor that
// the next thread needs.
//
// Source: Mellor-Crummey and Scott, "Algorithms for Scalable Synchronization on Shared-Memory Multiprocessors",
// ACM TOCS 1991, section 2.2.

/// A fair spin lock: threads get it in the order in which they asked for it.
@frozen
public struct TicketLock: LockKind, ~Copyable {
  /// The ticket that the next thread draws.
  @usableFromInline let next: Atomic<UInt32>

  /// The ticket whose thread may enter.
  @usableFromInline let served: Atomic<UInt32>

  #if DEBUG
    /// The holder's thread number, 0 when there is none.
    @usableFromInline let holder: Atomic<UInt>
  #endif

  /// A lock that nobody holds.
  @_transparent
  public init() {
    next = Atomic(0)
    served = Atomic(0)
    #if DEBUG
      holder = Atomic(0)
    #endif
  }

  @unsafe @inlinable @inline(__always)
  public borrowing func lock() {
    checkNotHeld()
    // Relaxed: drawing a ticket only decides the order; the load of `served` synchronises.
    let ticket = next.wrappingAdd(1, ordering: .relaxed).oldValue
    // Acquiring: pairs with the releasing store in `unlock`, and makes the last holder's writes visible.
    if served.load(ordering: .acquiring) != ticket { wait(for: ticket) }
    noteHeld()
  }

  @unsafe @inlinable @inline(__always)
  public borrowing func tryLock() -> Bool {
    // Acquiring: pairs with the releasing store in `unlock`, as in `lock`. If `next` still equals the value read, no
    // ticket is out: the lock is free, and drawing that ticket takes it. Relaxed: the load has synchronised already.
    let ticket = served.load(ordering: .acquiring)
    let drawn = next.compareExchange(expected: ticket, desired: ticket &+ 1, ordering: .relaxed).exchanged
    if drawn { noteHeld() }
    return drawn
  }

  @unsafe @inlinable @inline(__always)
  public borrowing func unlock() {
    noteReleased()
    // Relaxed: only the holder writes `served`, so it reads its own ticket. Tickets wrap modulo 2^32.
    let ticket = served.load(ordering: .relaxed)
    // Releasing: pairs with the acquiring loads of `served` in `lock`, `tryLock` and `wait`.
    served.store(ticket &+ 1, ordering: .releasing)
  }

  /// Waits until `ticket` is served.
  @usableFromInline @inline(never)
  borrowing func wait(for ticket: UInt32) {
    var backoff = Backoff()
    // Acquiring: pairs with the releasing store in `unlock`.
    while served.load(ordering: .acquiring) != ticket { backoff.wait() }
  }
}

// Who holds the lock, in debug builds only. Relaxed throughout: a thread always sees the number that it wrote itself,
// and any other value, however old, is not its own.
extension TicketLock {
  /// Ends the process when the calling thread holds the lock.
  @inlinable @inline(__always)
  borrowing func checkNotHeld() {
    #if DEBUG
      require(
        holder.load(ordering: .relaxed) != TicketLock.thread,
        "a ticket lock was taken again by the thread that holds it")
    #endif
  }

  /// Records the calling thread as the holder.
  @inlinable @inline(__always)
  borrowing func noteHeld() {
    #if DEBUG
      holder.store(TicketLock.thread, ordering: .relaxed)
    #endif
  }

  /// Ends the process unless the calling thread holds the lock, and clears the holder.
  @inlinable @inline(__always)
  borrowing func noteReleased() {
    #if DEBUG
      require(
        holder.load(ordering: .relaxed) == TicketLock.thread,
        "a ticket lock must be unlocked by the thread that holds it")
      holder.store(0, ordering: .relaxed)
    #endif
  }

  #if DEBUG
    /// The calling thread's number.
    @usableFromInline static var thread: UInt { UInt(lab_platform_thread()) }
  #endif
}
