internal import Assertions
internal import CLabPlatform
package import HeapBlocks
internal import Synchronization

// Whether an address is that of a block in use. The hot path spends one compare on it, the paths beside it look at the
// absent pages too, and all others end the process with a verdict. Only a heap's floor can search the heap's lists:
// that search is passed in.

extension BlockSpan {
  /// Whether the block is in use, as far as two compares tell. False also for blocks above an absent page.
  @inlinable @inline(__always)
  package func isInUse(_ block: FreeBlock) -> Bool {
    let offset = UInt32(UInt16(truncatingIfNeeded: block.address))
    return lab_platform_is_below(offset &* fields.reciprocal, hotLimitAddress) && !block.looksFree
  }

  /// Whether a block starts at `address` and is not the one that the owner freed last, as far as the descriptor tells.
  @inlinable @inline(__always)
  package func mayBeInUse(_ address: UInt) -> Bool {
    UInt32(UInt16(truncatingIfNeeded: address)) &* fields.reciprocal < fields.reciprocal && free != address
  }

  /// Whether the block is in use, also in a span that a purge took pages from.
  @inlinable @inline(__always)
  package func isInUseAfterPurge(_ block: FreeBlock) -> Bool {
    isBlockStart(block.address) && isPresent(block.address) && !block.looksFree
  }

  /// The block at `address`. Ends the process unless the block is in use.
  /// - Parameter isListed: Whether a block that looks free is on a list of free blocks. The mark alone proves nothing:
  ///   a program may have copied it from freed memory.
  package func checkedBlock(_ address: UInt, isListed: (FreeBlock) -> Bool) -> FreeBlock {
    require(use.isSpan, "free of a pointer that heaplab did not give out", UInt64(address))
    require(
      owner != 0 && isBlockStart(address), "free of a pointer into the middle of a block", UInt64(address))
    require(
      isPresent(address), "free of a pointer that heaplab did not give out, or gave out once", UInt64(address))
    let block = FreeBlock(address)
    require(!block.looksFree || !isListed(block), "double free", UInt64(address))
    return block
  }

  /// Whether a block of the span starts at `address`, absent blocks included.
  @inlinable @inline(__always)
  package func isBlockStart(_ address: UInt) -> Bool {
    BlockSpan.isBlockStart(address, reciprocal: fields.reciprocal, byteCount: sizeClass.blockByteCount)
  }

  /// The same, for a thread under whose eyes the span may become one of another class.
  package func glimpseIsBlockStart(_ address: UInt) -> Bool {
    BlockSpan.isBlockStart(
      address, reciprocal: withAtomic(&fields.reciprocal) { $0.load(ordering: .relaxed) },
      byteCount: glimpsedSizeClass.blockByteCount)
  }

  /// Behind the last block there may be a rest that is shorter than a block.
  @inlinable @inline(__always)
  static func isBlockStart(_ address: UInt, reciprocal: UInt32, byteCount: UInt) -> Bool {
    let offset = UInt16(truncatingIfNeeded: address)
    return UInt32(offset) &* reciprocal < reciprocal && UInt(offset) &+ byteCount <= Granule.byteCount
  }

  /// Whether the block at `address` overlaps no absent page, and so can be in use.
  @inlinable @inline(__always)
  package func isPresent(_ address: UInt) -> Bool {
    pages(ofBlockAt: address) & absentPages == 0
  }

  /// Frees a block in use of a span without a magazine, on the owner's thread. Returns whether the event is due.
  @inlinable @inline(__always)
  package func push(_ block: FreeBlock) -> Bool {
    // The count first: a signal handler may interrupt here and take the whole list. At worst the span then seems to
    // have one live block more.
    let isDue = lab_platform_count_down(pendingAddress)
    block.next = free
    block.markWord = FreeBlock.mark
    free = block.address
    return isDue
  }
}
