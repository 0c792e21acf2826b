internal import CLabMalloc

// The slow paths under C's calling convention, which is the entries' own: so the hot paths leave by a jump, and need no
// frame for the case that they do not.

/// A block of more than 256 bytes.
@c(lab_heap_allocate_larger)
@inline(never)
@usableFromInline
func slowEntryAllocateLarger(_ byteCount: UInt) -> UInt {
  if byteCount <= SizeClass.maximumByteCount {
    let heap = ThreadHeap(address: UInt(lab_malloc_heap()))
    let sizeClass = SizeClass(aboveSteps: byteCount)
    let block = heap.hasStack(sizeClass.index) ? heap.popStacked(sizeClass) : heap.popActive(sizeClass)
    if block != 0 { return block }
  } else if byteCount <= LargeClass.maximumByteCount {
    let block = ThreadHeap(address: UInt(lab_malloc_heap())).popCached(byteCount)
    return block != 0 ? block : slowEntryAllocateSlowest(byteCount)
  }
  return slowEntryAllocateSlow(byteCount)
}

/// A block when its active list is empty, or for which there is none.
@c(lab_heap_allocate_slow)
@inline(never)
@usableFromInline
func slowEntryAllocateSlow(_ byteCount: UInt) -> UInt {
  let sizeClass = SizeClass(fitting: byteCount)
  let heap = ThreadHeap(address: UInt(lab_malloc_heap()))
  if byteCount <= SizeClass.maximumByteCount, !heap.hasStack(sizeClass.index) {
    let block = heap.refillFromCurrent(sizeClass)
    if block != 0 { return block }
  }
  return slowEntryAllocateSlowest(byteCount)
}

/// A block when the current span of its class has none either, or for which there is no class.
@c(lab_heap_allocate_slowest)
@inline(never)
func slowEntryAllocateSlowest(_ byteCount: UInt) -> UInt {
  ProcessHeap.failIfNull(ProcessHeap.allocateSlow(byteCount))
}

/// A free that is not of a block in use of this thread's spans.
@c(lab_heap_deallocate_slow)
@inline(never)
@usableFromInline
func slowEntryDeallocateSlow(_ address: UInt) {
  if !ProcessHeap.deallocateNear(address) { slowEntryDeallocateSlowest(address) }
}

/// A free that neither a stack nor the cache takes.
@c(lab_heap_deallocate_slowest)
@inline(never)
func slowEntryDeallocateSlowest(_ address: UInt) {
  ProcessHeap.deallocateSlow(address)
}

/// The event of the span, one of this thread's, in which the block at `address` was the last one to be freed.
@c(lab_heap_handle_event)
@inline(never)
@usableFromInline
func slowEntryHandleEvent(_ address: UInt) {
  ProcessHeap.handleEvent(address)
}
