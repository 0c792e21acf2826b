/// A value that only the holder of its ``SpinLock`` can reach.
public typealias Locked<Value: ~Copyable> = LockedBy<SpinLock, Value>

/// A value that only the holder of its lock can reach. ``Locked`` uses a ``SpinLock``.
///
/// Works as a local, as a stored property and as one global `let`:
///
///     let counter = Locked(0)
///     counter.withLock { $0 += 1 }
///
/// Such a global is initialised on first use, like any other. Use ``init(constant:)`` for one that must need neither
/// start-up code nor a test at each access.
@frozen
public struct LockedBy<Lock: LockKind & ~Copyable, Value: ~Copyable>: ~Copyable {
  @usableFromInline let lock: Lock
  @usableFromInline let storage: LockedStorage<Value>

  /// Puts `value` under a new lock.
  @inlinable
  public init(_ value: consuming sending Value) {
    lock = Lock()
    storage = LockedStorage(value)
  }

  /// Puts `value`, a small constant, under a new lock. Optimised builds lay out a global of it at compile time.
  ///
  /// - Safety: The value must have no `deinit` and at most six scalars in all its stored properties. Swift 6.3 silently
  ///   gives others undefined content.
  @unsafe @_transparent
  public init(constant value: consuming sending Value) {
    lock = Lock()
    storage = LockedStorage(visible: value)
  }

  /// Waits for the lock, runs `body` on the value, and returns or throws what it does.
  /// - Complexity: One atomic instruction and one store around `body` when the lock is free.
  @inlinable @inline(__always)
  public borrowing func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    // SAFETY: one unlock follows on every way out, on this thread.
    unsafe lock.lock()
    defer { unsafe lock.unlock() }
    // SAFETY: the lock makes this the only access to an initialised value.
    let value = unsafe storage.address
    return try unsafe body(&value.pointee)
  }

  /// Runs `body` on the value, or returns nil at once when a thread holds the lock.
  @inlinable @inline(__always)
  public borrowing func withLockIfAvailable<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result? {
    // SAFETY: one unlock follows a successful try on every way out, on this thread.
    guard unsafe lock.tryLock() else { return nil }
    defer { unsafe lock.unlock() }
    // SAFETY: the lock makes this the only access to an initialised value.
    let value = unsafe storage.address
    return try unsafe body(&value.pointee)
  }
}

// SAFETY: the value is sent in and out through the lock only; a lock can be used by all threads.
extension LockedBy: @unchecked Sendable where Lock: ~Copyable, Value: ~Copyable {}
