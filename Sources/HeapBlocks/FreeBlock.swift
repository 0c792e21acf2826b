internal import Synchronization

/// A block that nobody holds. Its first word links to the next one, its second carries a mark.
///
/// The mark finds double frees: `free` looks for it, and `malloc` wipes it. A block in use carries it only if the program
/// writes those very eight bytes, or copies them from freed memory, and therefore a marked block is looked for on the
/// lists before anything is said (see `BlockSpan.checkedBlock`). The mark fits a sign-extended 32-bit operand: to compare
/// with it and to store it are one instruction each.
///
/// Stores are relaxed atomics, because a search for a double free on another thread may read them.
@frozen
package struct FreeBlock: Equatable {
  /// Where the block starts, 0 for no block.
  package let address: UInt

  @inlinable @inline(__always)
  package init(_ address: UInt) { self.address = address }

  /// What the second word of a free block holds.
  @inlinable package static var mark: Int { -0x5C1F_36A7 }

  /// The next free block, 0 for none.
  @inlinable @inline(__always)
  package var next: UInt {
    get {
      // SAFETY: a free block belongs to the heap and has at least 16 bytes.
      unsafe UnsafePointer<UInt>(bitPattern: address).unsafelyUnwrapped.pointee
    }
    nonmutating set {
      // SAFETY: as above.
      unsafe UnsafePointer<Atomic<UInt>>(bitPattern: address).unsafelyUnwrapped.pointee.store(
        newValue, ordering: .relaxed)
    }
  }

  /// The second word.
  @inlinable @inline(__always)
  package var markWord: Int {
    get {
      // SAFETY: a block has at least 16 bytes.
      unsafe UnsafePointer<Int>(bitPattern: address &+ 8).unsafelyUnwrapped.pointee
    }
    nonmutating set {
      // SAFETY: as above.
      unsafe UnsafePointer<Atomic<Int>>(bitPattern: address &+ 8).unsafelyUnwrapped.pointee.store(
        newValue, ordering: .relaxed)
    }
  }

  /// Whether the block carries the mark, as every free block does, and whatever was copied from one.
  @inlinable @inline(__always)
  package var looksFree: Bool { markWord == FreeBlock.mark }

  /// The next block and whether this one looks free, read while another thread may take the block off its list and its
  /// new holder may write to it.
  package var glimpse: (next: UInt, looksFree: Bool) {
    // SAFETY: the memory of a heap can always be read; as above.
    let next = unsafe UnsafePointer<Atomic<UInt>>(bitPattern: address).unsafelyUnwrapped.pointee.load(
      ordering: .relaxed)
    // SAFETY: as above.
    let mark = unsafe UnsafePointer<Atomic<Int>>(bitPattern: address &+ 8).unsafelyUnwrapped.pointee.load(
      ordering: .relaxed)
    return (next, mark == FreeBlock.mark)
  }
}
