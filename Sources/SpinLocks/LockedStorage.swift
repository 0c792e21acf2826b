import Builtin
public import Synchronization

/// Room for a value inside its owner that may change while the owner is only borrowed.
///
/// A stored property of a borrowed struct is a constant to the compiler, which would be free to read it once and keep
/// it. Storage of a raw layout is none: the compiler neither copies it nor assumes what it holds, and every access
/// goes through its address. `Locked` makes sure that one thread at a time does so.
@frozen @usableFromInline
@_rawLayout(like: Value, movesAsLike)
struct LockedStorage<Value: ~Copyable>: ~Copyable {
  /// Where the value lies.
  @usableFromInline @_transparent
  var address: UnsafeMutablePointer<Value> {
    // SAFETY: the storage has the value's size and alignment, and lies where its owner does.
    unsafe UnsafeMutablePointer<Value>(Builtin.addressOfRawLayout(self))
  }

  /// Puts `value` into the storage.
  ///
  /// The fence keeps the compiler from laying out a global of this type at compile time, which Swift 6.3 does for a
  /// raw layout as soon as it sees nothing but stores: where the value has a `deinit` or more than six scalars, it
  /// can leave the content undefined. (The standard library's `Mutex` shows the same.) With the fence, the global is
  /// initialised on its first use.
  @inlinable
  init(_ value: consuming Value) {
    // SAFETY: the storage has the value's size and alignment, and nothing is in it yet.
    unsafe address.initialize(to: value)
    // Pairs with nothing: a lock is handed to another thread by means that order its content already.
    atomicMemoryFence(ordering: .releasing)
  }

  /// Puts `value` into the storage where the compiler sees it, so that a global can be laid out at compile time.
  @usableFromInline @_transparent
  init(visible value: consuming Value) {
    // SAFETY: as above.
    unsafe address.initialize(to: value)
  }

  @inlinable
  deinit {
    // SAFETY: `init` put a value there, and an owner that ends is nobody else's.
    unsafe address.deinitialize(count: 1)
  }
}
