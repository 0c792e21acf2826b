public import Addresses

/// What a timed replay's threads ask for memory, all at once: a whole allocator with its own locking.
public protocol ReplayTarget: Sendable {
  /// A block of at least `byteCount` bytes at a multiple of `alignment`, or nil.
  func allocate(byteCount: UInt, alignment: UInt) -> VirtAddr?

  /// As ``allocate(byteCount:alignment:)``, all zero.
  func allocateZeroed(byteCount: UInt, alignment: UInt) -> VirtAddr?

  /// A block of `byteCount` bytes with the content of the one at `address`, which is gone; nil leaves that as it was.
  func reallocate(_ address: VirtAddr, toByteCount byteCount: UInt, alignment: UInt) -> VirtAddr?

  /// Takes a block back.
  func deallocate(_ address: VirtAddr)

  /// How many bytes of the block its holder may use.
  func usableByteCount(of address: VirtAddr) -> UInt
}
