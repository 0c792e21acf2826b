internal import CLabMalloc
internal import HeapBlocks
internal import HeapSpaces
internal import ThreadHeaps

// The continuations of the hot paths, each named after what it tries. They have C's calling convention, as the entries
// do: the hot paths leave by a jump, and need no frame for the case that they stay.

/// Allocates more than 1 KiB: from a magazine or the thread cache.
@c(lab_heap_allocate_above_table)
@inline(never)
func allocateAboveTable(_ byteCount: UInt) -> UInt {
  let heap = ThreadHeap(address: lab_malloc_heap())
  var block: UInt = 0
  if byteCount <= heap.magazineMaximum {
    block = heap.popMagazine(SizeClass(aboveSteps: byteCount))
  } else if byteCount <= heap.listedMaximum {
    // A maximum of 0 excludes the other one: both are 0, or neither is.
    lab_malloc_assume(byteCount > SizeClass.maximumByteCount)
    block = heap.popCached(byteCount)
  }
  return block != 0 ? block : allocateBySlowPath(byteCount)
}

/// Allocates when the active list of a class without a magazine is empty: the first block of the current span's own free
/// list.
@c(lab_heap_allocate_from_current_span)
@inline(never)
func allocateFromCurrentSpan(_ byteCount: UInt) -> UInt {
  let sizeClass = ProcessHeap.tabledClass(byteCount)
  let heap = ThreadHeap(address: lab_malloc_heap())
  let current = heap.current(sizeClass)
  if current != 0 {
    let offset = UInt(current) &* Granule.recordByteCount
    let block = heap.refillFromCurrent(sizeClass, BlockSpan(address: lab_malloc_space_descriptor(offset)))
    if block != 0 { return block }
  }
  return allocateBySlowPath(byteCount)
}

/// Allocates when no list of this thread has a block.
@c(lab_heap_allocate_by_slow_path)
@inline(never)
func allocateBySlowPath(_ byteCount: UInt) -> UInt {
  let heap = ThreadHeap(address: lab_malloc_heap())
  if heap.isSampling { return Sampling.allocate(byteCount, from: heap) }
  return ProcessHeap.failIfNull(ProcessHeap.allocateMissed(byteCount))
}

/// Any free that the hot path refused: into a magazine or the thread cache. `descriptor` is the descriptor of the
/// granule around the block.
@c(lab_heap_deallocate_to_thread_lists)
@inline(never)
func deallocateToThreadLists(_ address: UInt, _ descriptor: UInt) {
  let heap = ThreadHeap(address: lab_malloc_heap())
  if !ProcessHeap.pushToThreadLists(FreeBlock(address), Granule(address: descriptor), heap) {
    deallocateToBatch(address, descriptor, heap.address)
  }
}

/// A free that neither a magazine nor the cache takes: into the batch of another heap's span, or onto a span that a
/// purge took pages from. As a function of its own it spares `deallocateToThreadLists` a frame.
@c(lab_heap_deallocate_to_batch)
@inline(never)
func deallocateToBatch(_ address: UInt, _ descriptor: UInt, _ heap: UInt) {
  let granule = Granule(address: descriptor)
  if !ProcessHeap.pushToBatch(FreeBlock(address), granule, ThreadHeap(address: heap)) {
    deallocateBySlowPath(address)
  }
}

/// A free outside of the space, or one that no list of this thread takes.
@c(lab_heap_deallocate_by_slow_path)
@inline(never)
func deallocateBySlowPath(_ address: UInt) {
  ProcessHeap.deallocateMissed(address)
  BackgroundPurge.noteFree()
}

/// Handles the event of a span of this thread's heap: the block at `address` was the last one freed in it.
@c(lab_heap_handle_event)
@inline(never)
func handleEventOfSpan(around address: UInt) {
  ProcessHeap.handleEvent(address)
  BackgroundPurge.noteFree()
}
