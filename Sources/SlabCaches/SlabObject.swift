/// A type whose instances a ``SlabCache`` keeps.
///
/// Its `init()` is the constructor. It runs when a slab is made, once for each of the slab's objects, and not at every
/// allocation. The `deinit` is the destructor, and runs when the slab is released. In between, an object is allocated
/// and deallocated many times and stays constructed. A holder must therefore leave it as the constructor did, as far as
/// the next holder relies on that: a lock free, a list empty. Everything else may hold what the last holder left.
public protocol SlabObject: ~Copyable {
  /// An object that no one has held yet.
  init()
}
