internal import Assertions
internal import CLabPlatform
package import HeapBlocks

// Whether an address is that of a block in use: at the price of a compare for the hot path, of a look at the absent pages
// for the paths beside it, and with a verdict for all others. What the list of a heap holds only that heap's floor knows:
// it is passed in.

extension BlockSpan {
  /// Whether the block is in use, as far as two compares tell. False also for blocks above an absent page.
  @inlinable @inline(__always)
  package func isInUse(_ block: FreeBlock) -> Bool {
    let offset = UInt32(UInt16(truncatingIfNeeded: block.address))
    return lab_platform_is_below(offset &* fields.reciprocal, hotLimitAddress) && !block.looksFree
  }

  /// Whether the block is in use, also in a span that a purge took pages of.
  @inlinable @inline(__always)
  package func isInUseAfterPurge(_ block: FreeBlock) -> Bool {
    isBlockStart(block.address) && isPresent(block.address) && !block.looksFree
  }

  /// The block at `address`; ends the process unless it is in use.
  /// - Parameter isListed: Whether a block that looks free is on a list of free blocks. A program may have copied what
  ///   freed memory held, so the mark alone proves nothing.
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

  /// Whether `address` is where a block of the span starts, absent ones included.
  @inlinable @inline(__always)
  package func isBlockStart(_ address: UInt) -> Bool {
    UInt32(UInt16(truncatingIfNeeded: address)) &* fields.reciprocal < fields.reciprocal
  }

  /// Whether the block at `address` overlaps no absent page: whether it can be in use.
  @inlinable @inline(__always)
  package func isPresent(_ address: UInt) -> Bool {
    pages(ofBlockAt: address) & absentPages == 0
  }

  /// Takes back a block in use of a span without a magazine, on the owner's thread. Returns whether the event is due.
  @inlinable @inline(__always)
  package func push(_ block: FreeBlock) -> Bool {
    // The count first: a signal handler that interrupts here, and takes the whole list, can at worst make the span seem
    // to have one live block more.
    let isDue = lab_platform_count_down(pendingAddress)
    block.next = free
    block.markWord = FreeBlock.mark
    free = block.address
    return isDue
  }
}
