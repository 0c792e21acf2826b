/// A block that nobody holds: its first word links to the next one, its second says that it is free.
///
/// The mark is what finds a double free: `free` looks for it, and `malloc` wipes it, so that a block in use carries it
/// only if the program writes those very eight bytes, or copies them; so a block that does is looked for
/// (ProcessHeap+Listed.swift). It fits a sign-extended 32-bit operand, so that to compare with it and to store it are one
/// instruction each.
@frozen
@usableFromInline
struct FreeBlock: Equatable {
  @usableFromInline let address: UInt

  @inlinable @inline(__always)
  init(_ address: UInt) { self.address = address }

  /// What the second word of a free block holds.
  @inlinable static var mark: Int { -0x5C1F_36A7 }

  /// The next free block, 0 for none.
  @inlinable @inline(__always)
  var next: UInt {
    get {
      // SAFETY: a free block belongs to the heap and has at least 16 bytes.
      unsafe UnsafePointer<UInt>(bitPattern: address).unsafelyUnwrapped.pointee
    }
    nonmutating set {
      // SAFETY: as above.
      unsafe UnsafeMutablePointer<UInt>(bitPattern: address).unsafelyUnwrapped.pointee = newValue
    }
  }

  /// The second word.
  @inlinable @inline(__always)
  var markWord: Int {
    get {
      // SAFETY: a block has at least 16 bytes.
      unsafe UnsafePointer<Int>(bitPattern: address &+ 8).unsafelyUnwrapped.pointee
    }
    nonmutating set {
      // SAFETY: as above.
      unsafe UnsafeMutablePointer<Int>(bitPattern: address &+ 8).unsafelyUnwrapped.pointee = newValue
    }
  }

  /// Whether it carries the mark: as every free block does, and what was copied from one.
  var looksFree: Bool { markWord == FreeBlock.mark }
}
