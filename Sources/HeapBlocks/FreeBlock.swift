internal import Synchronization

/// A free block. Its first word links to the next free block; its second word carries a mark.
///
/// The mark finds double frees: `free` looks for it, and `malloc` wipes it. A block in use carries the mark only if the
/// program writes that value there, or copies it from freed memory. A marked block is therefore looked up in the lists
/// before anything is reported (see `BlockSpan.checkedBlock`). The mark fits a sign-extended 32-bit operand: comparing
/// with it and storing it take one instruction each.
///
/// Stores are relaxed atomics because another thread may read them while it searches for a double free.
@frozen
package struct FreeBlock: Equatable {
  /// The address of the block, 0 for no block.
  package let address: UInt

  @inlinable @inline(__always)
  package init(_ address: UInt) { self.address = address }

  /// The value of a free block's second word.
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

  /// Whether the block carries the mark. Every free block does, and so does a copy of one.
  @inlinable @inline(__always)
  package var looksFree: Bool { markWord == FreeBlock.mark }

  /// The next block, and whether this one looks free. Another thread may pop the block meanwhile, and its new holder
  /// may write to it.
  package var glimpse: (next: UInt, looksFree: Bool) {
    // SAFETY: a heap's memory can always be read; as above.
    let next = unsafe UnsafePointer<Atomic<UInt>>(bitPattern: address).unsafelyUnwrapped.pointee.load(
      ordering: .relaxed)
    // SAFETY: as above.
    let mark = unsafe UnsafePointer<Atomic<Int>>(bitPattern: address &+ 8).unsafelyUnwrapped.pointee.load(
      ordering: .relaxed)
    return (next, mark == FreeBlock.mark)
  }
}
