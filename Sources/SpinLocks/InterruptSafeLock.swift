public import Synchronization

#if DEBUG
  public import Assertions
#endif

// A lock that also disables interrupts.
//
// A handler that waits for a lock held by the very thread that it interrupted waits forever. So interrupts stay
// disabled on the holder's processor for as long as it holds a lock that some handler takes. Other processors keep
// theirs: a handler there waits for a holder that runs and will soon be done.
//
//   held by this processor   =>   interrupts are disabled on it
//
// Interrupts go first and come last: disable, take, ..., release, enable. In either other order there is a moment at
// which the lock is held and an interrupt can arrive.
//
// The lock remembers whether interrupts were enabled when it was taken. This makes nesting work without a count for
// each processor: the inner lock found them disabled and leaves them disabled, the outer one enables them again. The
// price is that locks must be released in the reverse of the order in which they were taken. Otherwise the outer lock's
// release enables interrupts while the inner one is held, which debug builds find.
//
// A waiter waits with interrupts disabled, as in Linux: a fair lock hands over to the waiter that is next, which must
// not be away in a handler. A handler's delay is bounded by the time that those ahead in the queue hold the lock.
//
// Source: Love, "Linux Kernel Development", 3rd edition, chapter 10 (spin locks and interrupt handlers).

/// A lock that disables interrupts on its holder's processor: for whatever interrupt handlers and threads share.
///
/// `Inner` keeps other processors out: ``SpinLock``, or the fair ``TicketLock``. It is itself a ``LockKind``, and takes
/// that place wherever there is one:
///
///     typealias KernelLock = InterruptSafeLock<SpinLock, X86Interrupts>
///
///     let jobs = LockedBy<KernelLock, JobQueue>(JobQueue())
///     let heap = LockedHeapBy<KernelLock>()
///
/// Hold it briefly. Locks nest, and must be released in the reverse of the order in which they were taken;
/// ``LockKind/withLock(_:)`` does so. A holder must not enable interrupts. Debug builds end the process when interrupts
/// are enabled at the release.
///
/// Where threads wait longer than a few pauses, `Inner` calls `lab_platform_yield`. In a kernel that function must not
/// switch threads while interrupts are disabled.
@frozen
public struct InterruptSafeLock<Inner: LockKind & ~Copyable, Interrupts: InterruptControl>: LockKind, ~Copyable {
  /// Keeps other processors out.
  @usableFromInline let inner: Inner

  /// Whether interrupts were enabled when the holder took the lock. Relaxed: only the holder reads and writes it, and
  /// the inner lock orders one holder after the other.
  @usableFromInline let wereEnabled: Atomic<Bool>

  /// A lock that nobody holds.
  @_transparent
  public init() {
    inner = Inner()
    wereEnabled = Atomic(false)
  }

  @unsafe @inlinable @inline(__always)
  public borrowing func lock() {
    let wereEnabled = Interrupts.disable()
    // SAFETY: the caller promises the unlock.
    unsafe inner.lock()
    self.wereEnabled.store(wereEnabled, ordering: .relaxed)
  }

  @unsafe @inlinable @inline(__always)
  public borrowing func tryLock() -> Bool {
    let wereEnabled = Interrupts.disable()
    // SAFETY: the caller promises the unlock.
    guard unsafe inner.tryLock() else {
      if wereEnabled { Interrupts.enable() }
      return false
    }
    self.wereEnabled.store(wereEnabled, ordering: .relaxed)
    return true
  }

  @unsafe @inlinable @inline(__always)
  public borrowing func unlock() {
    #if DEBUG
      require(!Interrupts.disable(), "interrupts must stay disabled until a lock that disables them is released")
    #endif
    // Read before the release: the next holder writes it.
    let wereEnabled = self.wereEnabled.load(ordering: .relaxed)
    // SAFETY: the caller holds the lock.
    unsafe inner.unlock()
    if wereEnabled { Interrupts.enable() }
  }
}
