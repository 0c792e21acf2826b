internal import CLabMalloc
internal import Assertions

// The slow paths.
//
// A slow path begins by taking the thread's heap away from the thread: its slot shows the empty heap until the path
// ends. A signal handler that interrupts it and allocates thus finds no active list, and its frees find no span of its
// own, so that it comes here too, sees `depth`, and is served without touching what is being changed:
// allocations come from a small region of their own, and frees travel as if from another thread.

extension ProcessHeap {
  static func allocateSlow(_ byteCount: UInt) -> UInt {
    guard let heap = enter() else { return allocateWithoutHeap(byteCount, alignment: 16) }
    defer { leave(heap) }
    if byteCount <= SizeClass.maximumByteCount {
      let block = heap.refill(SizeClass(fitting: byteCount))
      return block != 0 || !reclaim(heap) ? block : heap.refill(SizeClass(fitting: byteCount))
    }
    return allocateLarge(byteCount, alignment: 16, from: heap)
  }

  /// Takes together what is at hand for later, when a request found no memory; whether there was any.
  static func reclaim(_ heap: ThreadHeap) -> Bool {
    let hasOwn = heap.fields.idleCount != 0 || heap.cacheByteCount != 0
    if hasOwn { heap.purgeAll() }
    return heap.space.reclaimArena() || hasOwn
  }

  static func handleEvent(_ address: UInt) {
    guard let span = span(of: address) else { return }
    guard let heap = enter() else {
      // In an interrupted slow path: the event waits for the next free.
      return span.await(Int(span.fields.target) + 1, freeCount: span.freeCount)
    }
    heap.handleEvent(span)
    leave(heap)
  }

  static func deallocateSlow(_ address: UInt) {
    if address == 0 { return }
    guard let span = span(of: address) else {
      if isEmergency(address) { return deallocateEmergency(address) }
      if let textbook = TextbookHeap.current {
        repairAfterFork()
        return textbook.deallocate(address)
      }
      guard let heap = enter() else {
        // The first call of all, under a textbook policy.
        TextbookHeap.current?.deallocate(address)
        return
      }
      MappedBlocks.deallocate(address)
      leave(heap)
      return
    }
    if span.kind == .arena { return deallocateInArena(address, of: span) }
    let block = checkedBlock(address, of: span)
    guard let heap = enter() else {
      let granule = processSpace.granule(of: span)
      block.markWord = FreeBlock.mark
      ThreadHeap.giveBack(span, first: address, last: block, count: 1, granule: granule)
      return
    }
    if span.fields.owner & 1 != 0, span.ownerHeap == heap {
      // A thread that has its heap only now has not tried.
      if !heap.pushStacked(block, of: span) { heap.unstack(Int(span.fields.sizeClass), block, of: span) }
    } else if span.ownerHeap == heap {
      if heap.push(block, onto: span) { heap.handleEvent(span) }
    } else {
      heap.sendHome(block, to: span)
    }
    leave(heap)
  }

  /// The block at `address` of `span`; ends the process unless it can be one in use.
  static func checkedBlock(_ address: UInt, of span: Span) -> FreeBlock {
    require(span.kind == .span, "free of a pointer that heaplab did not give out", UInt64(address))
    require(
      span.fields.owner != 0 && ThreadHeap.isAnyBlockStart(address, of: span),
      "free of a pointer into the middle of a block", UInt64(address))
    require(
      isPresent(address, in: span), "free of a pointer that heaplab did not give out, or gave out once", UInt64(address)
    )
    let block = FreeBlock(address)
    require(!block.looksFree || !isListed(block, of: span), "double free", UInt64(address))
    return block
  }

  /// Whether the block at `address` of `span` overlaps no absent page: whether it can be in use.
  @inline(__always)
  static func isPresent(_ address: UInt, in span: Span) -> Bool {
    let offset = UInt32(UInt16(truncatingIfNeeded: address))
    return ThreadHeap.pageMask(offset, span.fields.blockByteCount) & span.absentPages == 0
  }

  static var processSpace: HeapSpace { HeapSpace(address: ProcessState().space) }

  /// The granule of the process heap around `address`.
  static func span(of address: UInt) -> Span? {
    guard (address &+ UInt(lab_malloc_space_negative_base())) >> 10 < UInt(lab_malloc_space_scaled_end()) else {
      return nil
    }
    return processSpace.span(containing: address)
  }

  /// Begins a slow path: this thread's heap, made or adopted if it has none; nil inside an interrupted slow path, under
  /// a textbook policy, and when there is no memory for a heap.
  static func enter() -> ThreadHeap? {
    guard lab_malloc_depth() == 0 else { return nil }
    lab_malloc_depth_set(1)
    repairAfterFork()
    let address = UInt(lab_malloc_heap())
    if address != UInt(lab_malloc_empty_heap_address()) {
      lab_malloc_heap_set(CUnsignedLong(lab_malloc_empty_heap_address()))
      let heap = ThreadHeap(address: address)
      noteSlow(heap)
      return heap
    }
    if ProcessState().textbook == 0, let heap = attach() { return heap }
    lab_malloc_depth_set(0)
    return nil
  }

  /// Ends a slow path.
  static func leave(_ heap: ThreadHeap) {
    if heap.address == ProcessState().sharedHeap {
      leaveShared()
    } else {
      lab_malloc_heap_set(CUnsignedLong(heap.address))
    }
    lab_malloc_depth_set(0)
  }

  /// Counts the slow paths, and looks after the heap at every 64th.
  @inline(__always)
  static func noteSlow(_ heap: ThreadHeap) {
    heap.fields.slowCount &+= 1
    if heap.fields.slowCount & 63 == 0 { purgeIfDue(heap) }
  }

  /// What every 64th slow path looks after.
  @inline(never)
  private static func purgeIfDue(_ heap: ThreadHeap) {
    let delay = ProcessState().fields.settings.purgeDelayMilliseconds
    heap.purgeIfDue(delayMilliseconds: delay)
  }
}
