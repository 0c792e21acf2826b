internal import CLabMalloc
internal import HeapBlocks
internal import HeapSpaces
internal import ThreadHeaps

// The heap of the process: the allocator behind `malloc`.
//
// The hot paths are `allocate` and `deallocate` below. They do what they can in a dozen instructions. The rest they
// leave, as a tail call, to the paths of HotPathMisses.swift, and those to the slow paths
// (ProcessHeap+SlowPaths.swift).

/// The heap of the process, one for all threads.
public enum ProcessHeap {
  /// A block of at least `byteCount` bytes at a multiple of 16, or 0 when there is no memory.
  @inline(__always)
  public static func allocate(_ byteCount: UInt) -> UInt {
    if byteCount <= UInt(LAB_MALLOC_SIZE_CLASSES_MAXIMUM) {
      let block = ThreadHeap(address: lab_malloc_heap()).popActive(tabledClass(byteCount))
      if block != 0 { return block }
      return allocateFromCurrentSpan(byteCount)
    }
    return allocateAboveTable(byteCount)
  }

  /// Frees a block. Does nothing for address 0.
  @inline(__always)
  public static func deallocate(_ address: UInt) {
    guard let span = descriptor(around: address)?.span else { return deallocateBySlowPath(address) }
    let block = FreeBlock(address)
    guard span.hotOwner == lab_malloc_heap(), span.isInUse(block) else {
      return deallocateToThreadLists(address, span.address)
    }
    // The block, not the span: its register need not be saved.
    if span.push(block) { handleEventOfSpan(around: address) }
  }

  /// The size class of a request of up to 1 KiB.
  @inline(__always)
  static func tabledClass(_ byteCount: UInt) -> SizeClass { SizeClass(index: lab_malloc_size_class(byteCount)) }

  /// The descriptor of the granule around `address`, whatever the granule is; nil outside of the committed space.
  @inline(__always)
  static func descriptor(around address: UInt) -> Granule? {
    // The offset of the descriptor in the table, with some bits of the address below it.
    let scaled = (address &+ lab_malloc_space_negative_base()) >> (Granule.byteShift - Granule.recordByteShift)
    guard scaled < lab_malloc_space_scaled_end() else { return nil }
    return Granule(address: lab_malloc_space_descriptor(scaled & ~(Granule.recordByteCount - 1)))
  }
}
