/// A mutual-exclusion lock that waits by spinning: ``SpinLock`` or ``TicketLock``.
///
/// Use ``withLock(_:)``, or ``Locked`` for a value that only the holder may touch. A lock is not reentrant: a thread
/// that takes it twice waits for itself. Debug builds then end the process with a line that says so; release builds
/// wait forever.
public protocol LockKind: ~Copyable, Sendable {
  /// A lock that nobody holds.
  init()

  /// Waits until nobody holds the lock, and takes it.
  ///
  /// - Safety: The caller must call ``unlock()`` later on the same thread, and must not hold the lock already.
  @unsafe borrowing func lock()

  /// Takes the lock if nobody holds it; never waits.
  ///
  /// - Returns: Whether it took the lock.
  /// - Safety: If true, the caller must call ``unlock()`` later on the same thread.
  @unsafe borrowing func tryLock() -> Bool

  /// Releases the lock.
  ///
  /// - Safety: The calling thread must hold the lock.
  @unsafe borrowing func unlock()
}

extension LockKind where Self: ~Copyable {
  /// Runs `body` while holding the lock, and returns or throws what `body` does.
  @inlinable @inline(__always)
  public borrowing func withLock<Result: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // SAFETY: one unlock follows on every way out, on this thread.
    unsafe lock()
    defer { unsafe unlock() }
    return try body()
  }

  /// Runs `body` while holding the lock, or returns nil at once when a thread holds it.
  @inlinable @inline(__always)
  public borrowing func withLockIfAvailable<Result: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    // SAFETY: one unlock follows a successful try on every way out, on this thread.
    guard unsafe tryLock() else { return nil }
    defer { unsafe unlock() }
    return try body()
  }
}
