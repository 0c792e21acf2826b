public import Addresses

/// An allocator with its own locking, from which all threads of a timed replay request memory.
public protocol ReplayTarget: Sendable {
  /// A block of at least `byteCount` bytes at a multiple of `alignment`; nil when there is no memory.
  func allocate(byteCount: UInt, alignment: UInt) -> VirtAddr?

  /// A block as from ``allocate(byteCount:alignment:)``, with all bytes zero.
  func allocateZeroed(byteCount: UInt, alignment: UInt) -> VirtAddr?

  /// A block of `byteCount` bytes with the content of the block at `address`, which it replaces. When the result is
  /// nil, the old block is unchanged.
  func reallocate(_ address: VirtAddr, toByteCount byteCount: UInt, alignment: UInt) -> VirtAddr?

  /// Frees a block.
  func deallocate(_ address: VirtAddr)

  /// The usable bytes of a block.
  func usableByteCount(of address: VirtAddr) -> UInt
}
