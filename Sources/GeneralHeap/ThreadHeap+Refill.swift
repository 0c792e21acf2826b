internal import CLabMalloc
internal import Assertions
internal import Synchronization

// Where an active list's next blocks come from. In order, the cheapest and densest first: what the current span's own
// frees left, what other threads gave back, other spans with free blocks, pages of the current span that were never
// carved, an empty span at hand, a granule of the space.

extension ThreadHeap {
  /// Fills the active list of a class and takes a block from it; 0 when there is no memory.
  @inline(never)
  func refill(_ sizeClass: SizeClass) -> UInt {
    // A thread that has its heap only now has not looked.
    var block = pop(sizeClass)
    if block == 0 { block = refillFromOwn(sizeClass) }
    if block == 0, fields.idleSpan == 0 {
      gatherSpans()
      // What other threads gave back meanwhile may be blocks of this class; a current span is put aside without any.
      block = refillFromOwn(sizeClass)
    }
    if block != 0 { return block }
    guard let span = takeEmptySpan(for: sizeClass) else { return 0 }
    replaceCurrent(with: span, sizeClass)
    if span.fields.free != 0 {
      activateFree(of: span, sizeClass)
      return pop(sizeClass)
    }
    return carve(span, sizeClass) ? pop(sizeClass) : 0
  }

  /// Fills the active list of a class from the spans that the class has, and takes a block from it; 0 when none of them
  /// has one to give.
  private func refillFromOwn(_ sizeClass: SizeClass) -> UInt {
    let index = sizeClass.index
    var current = fields.current[index]
    if current == 0 || space.span(current).fields.free == 0 {
      collectIncoming(index)
      // What came home may have been reason for a purge, which puts empty spans away.
      current = fields.current[index]
    }
    if current != 0 {
      let span = space.span(current)
      if span.fields.free != 0 {
        activateFree(of: span, sizeClass)
        // More blocks at once for a class that runs out this often.
        if UInt(span.carvedCount) * UInt(span.fields.blockByteCount) < ThreadHeap.hotByteCount {
          _ = carve(span, sizeClass)
        }
        return pop(sizeClass)
      }
      if fields.available[index] == 0, span.absentPages != 0 {
        if carve(span, sizeClass) { return pop(sizeClass) }
      }
    }
    while fields.available[index] != 0 {
      let span = space.span(fields.available[index])
      unlink(span)
      noteReused(span)
      replaceCurrent(with: span, sizeClass)
      if span.fields.free != 0 {
        activateFree(of: span, sizeClass)
        return pop(sizeClass)
      }
      if carve(span, sizeClass) { return pop(sizeClass) }
    }
    return 0
  }

  /// How many bytes of blocks a class that runs out often gets to work with, at least: a part of the first cache.
  private static var hotByteCount: UInt { 16 << 10 }

  /// Makes the current span's free list the active one and pops a block, 0 when there is nothing on it: the most
  /// frequent refill. Every 256th time it leaves the work to `refill`.
  @inline(__always)
  func refillFromCurrent(_ sizeClass: SizeClass) -> UInt {
    let index = sizeClass.index
    let current = unsafe currentSlot(index).pointee
    if current == 0 { return 0 }
    let span = Span(address: UInt(lab_malloc_space_descriptor(CUnsignedLong(current) &* 64)))
    let block = FreeBlock(span.fields.free)
    if block.address == 0 { return 0 }
    // A block of an absent page was never given out: `activateFree` ends the process.
    if span.absentPages &>> UInt16(truncatingIfNeeded: block.address >> 12 & 15) & 1 != 0 { return 0 }
    let count = unsafe refillCountSlot(index)
    unsafe count.pointee &+= 1
    if unsafe count.pointee == 0 { return 0 }
    span.fields.free = 0
    span.fields.pending = Int32(span.fields.target)
    unsafe activeSlot(sizeClass).pointee = block.next
    block.markWord = 0
    return block.address
  }

  /// Pops a block off the list that was just filled.
  private func pop(_ sizeClass: SizeClass) -> UInt {
    hasStack(sizeClass.index) ? popStacked(sizeClass) : popActive(sizeClass)
  }

  /// Makes the span's free list the active one. Its first block is the one that was freed last; that it was given out
  /// before, the hot path did not ask.
  private func activateFree(of span: Span, _ sizeClass: SizeClass) {
    require(
      ProcessHeap.isPresent(span.fields.free, in: span), "free of a pointer that heaplab did not give out",
      UInt64(span.fields.free))
    if hasStack(sizeClass.index) { noteStacked(span.freeCount, sizeClass.index) }
    fields.active[sizeClass.index] = span.fields.free
    span.fields.free = 0
    span.await(Int(span.carvedCount) + 1, freeCount: 0)
  }

  /// Makes `span` the one that its class allocates from and puts the one before it aside.
  private func replaceCurrent(with span: Span, _ sizeClass: SizeClass) {
    let before = fields.current[sizeClass.index]
    span.state = .current
    fields.current[sizeClass.index] = space.granule(of: span)
    if before != 0 { park(space.span(before)) }
  }

  /// Puts aside a current span with no blocks on its free list.
  private func park(_ span: Span) {
    if span.absentPages != 0 && span.carvedCount < span.capacity {
      link(span)
      span.await(Int(span.carvedCount), freeCount: 0)
    } else {
      span.state = .full
      span.await(max(1, Int(span.carvedCount) / 16), freeCount: 0)
      settle(span)
    }
  }

  /// Puts a span at the front of its class's list.
  func link(_ span: Span) {
    unsettle(span)
    let index = Int(span.fields.sizeClass)
    let first = fields.available[index]
    let granule = space.granule(of: span)
    span.state = .available
    span.fields.previous = 0
    span.fields.next = first
    if first != 0 { space.span(first).fields.previous = granule }
    fields.available[index] = granule
  }

  /// Takes a span out of its class's list.
  func unlink(_ span: Span) {
    let previous = span.fields.previous
    let next = span.fields.next
    if next != 0 { space.span(next).fields.previous = previous }
    if previous != 0 {
      space.span(previous).fields.next = next
    } else {
      fields.available[Int(span.fields.sizeClass)] = next
    }
  }

  /// What a span of the class names as its owner.
  private func owner(of sizeClass: SizeClass) -> UInt { hasStack(sizeClass.index) ? address | 1 : address }

  /// An empty span, made one of `sizeClass`, nil when there is no memory.
  private func takeEmptySpan(for sizeClass: SizeClass) -> Span? {
    var found: Span?
    if fields.idleSpan != 0 {
      let span = space.span(fields.idleSpan)
      fields.idleSpan = span.fields.next
      fields.idleCount -= 1
      noteReused(span)
      if Int(span.fields.sizeClass) == sizeClass.index {
        // It comes back as it went: carved, every block on its free list.
        span.kind = .span
        span.fields.owner = owner(of: sizeClass)
        fields.heldByteCount += span.presentByteCount
        return span
      }
      found = span
    } else {
      found = space.allocateGranule()
    }
    guard let span = found else { return nil }
    let blockByteCount = sizeClass.blockByteCount
    span.kind = .span
    span.fields.sizeClass = UInt8(truncatingIfNeeded: sizeClass.index)
    span.fields.reciprocal = UInt32(truncatingIfNeeded: ((1 << 32) + blockByteCount - 1) / blockByteCount)
    span.fields.reciprocalBound = span.fields.reciprocal
    span.fields.free = 0
    span.fields.remote.store(0, ordering: .relaxed)
    span.fields.notedCount = 0
    span.fields.purgedFreeCount = 0
    span.absentPages = .max
    span.carvedCount = 0
    span.await(0, freeCount: 0)
    span.fields.owner = owner(of: sizeClass)
    return span
  }
}
