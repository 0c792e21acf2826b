import Builtin
public import Synchronization

/// Inline storage for a value that may change while its owner is only borrowed.
///
/// The compiler treats a stored property of a borrowed struct as a constant, and may read it once and keep the value.
/// It does not do that with raw-layout storage: it neither copies the storage nor assumes what it holds, and every
/// access goes through the address. `Locked` ensures that one thread at a time has access.
@frozen @usableFromInline
@_rawLayout(like: Value, movesAsLike)
struct LockedStorage<Value: ~Copyable>: ~Copyable {
  /// The address of the value.
  @usableFromInline @_transparent
  var address: UnsafeMutablePointer<Value> {
    // SAFETY: the storage has the value's size and alignment, and lies where its owner does.
    unsafe UnsafeMutablePointer<Value>(Builtin.addressOfRawLayout(self))
  }

  /// Puts `value` into the storage.
  ///
  /// Without the fence, Swift 6.3 lays out a global of this type at compile time once it sees only stores into the raw
  /// layout. When the value has a `deinit` or more than six scalars, this can leave the content undefined. (The
  /// standard library's `Mutex` has the same problem.) With the fence, the global is initialised on first use.
  @inlinable
  init(_ value: consuming Value) {
    // SAFETY: the storage has the value's size and alignment, and nothing is in it yet.
    unsafe address.initialize(to: value)
    // Pairs with nothing: whatever hands the lock to another thread already orders its content.
    atomicMemoryFence(ordering: .releasing)
  }

  /// Puts `value` into the storage in view of the compiler, which can then lay out a global at compile time.
  @usableFromInline @_transparent
  init(visible value: consuming Value) {
    // SAFETY: as above.
    unsafe address.initialize(to: value)
  }

  @inlinable
  deinit {
    // SAFETY: `init` stored a value there, and nobody else has an owner that is being destroyed.
    unsafe address.deinitialize(count: 1)
  }
}
