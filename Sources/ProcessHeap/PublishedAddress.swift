internal import Synchronization

/// The address of an object that one thread makes and others follow without a lock, 0 for none. A thread that sees the
/// address sees the object as it was made.
struct PublishedAddress: ~Copyable {
  private let word = Atomic<UInt>(0)

  var value: UInt {
    // Acquire pairs with the release below, and release with that acquire.
    get { word.load(ordering: .acquiring) }
    nonmutating set { word.store(newValue, ordering: .releasing) }
  }
}
