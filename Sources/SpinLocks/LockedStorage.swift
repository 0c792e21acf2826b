import Builtin

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
    unsafe UnsafeMutablePointer<Value>(Builtin.addressOfRawLayout(self))
  }

  // Transparent, so that a global can be laid out by the compiler.
  @usableFromInline @_transparent
  init(_ value: consuming Value) {
    // SAFETY: the storage has the value's size and alignment, and nothing is in it yet.
    unsafe address.initialize(to: value)
  }

  @inlinable
  deinit {
    // SAFETY: `init` put a value there, and an owner that ends is nobody else's.
    unsafe address.deinitialize(count: 1)
  }
}
