public import CLabMalloc

// The heap of the process: what `malloc` runs on.
//
// The hot paths are `allocate` and `deallocate` below; whatever they cannot do in a dozen instructions they leave, as
// a tail call, to the slow paths (ProcessHeap+Slow.swift).

/// The heap of the process, one for all threads.
public enum ProcessHeap {
  /// A block of at least `byteCount` bytes at a multiple of 16, or 0 when there is no memory.
  @inlinable @inline(__always)
  public static func allocate(_ byteCount: UInt) -> UInt {
    if byteCount <= SizeClass.stepMaximumByteCount {
      let block = ThreadHeap(address: UInt(lab_malloc_heap())).popActive(SizeClass(fitting: byteCount))
      if block != 0 { return block }
      return slowEntryAllocateSlow(byteCount)
    }
    return slowEntryAllocateLarger(byteCount)
  }

  /// Takes back a block; nothing happens for 0.
  @inlinable @inline(__always)
  public static func deallocate(_ address: UInt) {
    // The descriptor's offset in the table, and 6 bits more.
    let scaled = (address &+ UInt(lab_malloc_space_negative_base())) >> 10
    guard scaled < UInt(lab_malloc_space_scaled_end()) else { return slowEntryDeallocateSlow(address) }
    let span = Span(address: UInt(lab_malloc_space_descriptor(CUnsignedLong(scaled & ~63))))
    let heap = ThreadHeap(address: UInt(lab_malloc_heap()))
    let block = FreeBlock(address)
    guard span.fields.owner == heap.address, ThreadHeap.isBlockStart(address, of: span),
      block.markWord != FreeBlock.mark
    else { return slowEntryDeallocateNear(address, span.address) }
    // The block, not the span: its register need not be given up.
    if heap.push(block, onto: span) { slowEntryHandleEvent(address) }
  }
}
