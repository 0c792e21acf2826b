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
    // Whether the class has a stack or not: to count is cheaper than to ask.
    let block = heap.popStacked(sizeClass)
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

/// A free of what is no block in use of this thread's spans without a stack; `span` is the descriptor around it.
@c(lab_heap_deallocate_near)
@inline(never)
@usableFromInline
func slowEntryDeallocateNear(_ address: UInt, _ span: UInt) {
  let heap = ThreadHeap(address: UInt(lab_malloc_heap()))
  if !ProcessHeap.deallocateNear(address, Span(address: span), heap) {
    slowEntryDeallocateElsewhere(address, span, heap.address)
  }
}

/// A free that neither a stack nor the cache takes. Apart from those, which so need no frame.
@c(lab_heap_deallocate_elsewhere)
@inline(never)
func slowEntryDeallocateElsewhere(_ address: UInt, _ span: UInt, _ heap: UInt) {
  if !ProcessHeap.deallocateElsewhere(address, Span(address: span), ThreadHeap(address: heap)) {
    slowEntryDeallocateSlow(address)
  }
}

/// A free of what lies outside of the space, or that no list of this thread takes.
@c(lab_heap_deallocate_slow)
@inline(never)
@usableFromInline
func slowEntryDeallocateSlow(_ address: UInt) {
  ProcessHeap.deallocateSlow(address)
}

/// The event of the span, one of this thread's, in which the block at `address` was the last one to be freed.
@c(lab_heap_handle_event)
@inline(never)
@usableFromInline
func slowEntryHandleEvent(_ address: UInt) {
  ProcessHeap.handleEvent(address)
}
