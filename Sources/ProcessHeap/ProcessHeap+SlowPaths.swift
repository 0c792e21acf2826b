internal import CLabMalloc
internal import HeapBlocks
internal import HeapSpaces
internal import ThreadHeaps

// A slow path begins by taking the thread's heap away from the thread: its slot shows the empty heap until the path ends. A
// signal handler that interrupts it and allocates thus finds no active list, and its frees find no span of its own. It
// comes here too, sees `depth`, and is served without touching what is being changed: allocations come from a small
// region of their own, and frees travel as if from another thread.

extension ProcessHeap {
  /// Begins a slow path: this thread's heap, made or adopted if it has none. Nil inside an interrupted slow path, under a
  /// textbook policy, and when there is no memory for a heap.
  static func enter() -> ThreadHeap? {
    guard lab_malloc_depth() == 0 else { return nil }
    lab_malloc_depth_set(1)
    repairAfterFork()
    let address = lab_malloc_heap()
    if address != lab_malloc_empty_heap() {
      lab_malloc_heap_set(lab_malloc_empty_heap())
      let heap = OwnedHeap(address: address)
      noteSlowPath(of: heap)
      return heap.heap
    }
    if ProcessState().textbook == 0, let heap = attach() { return heap.heap }
    lab_malloc_depth_set(0)
    return nil
  }

  /// Ends a slow path.
  static func leave(_ heap: ThreadHeap) {
    if heap.address == ProcessState().sharedHeap {
      leaveShared()
    } else {
      lab_malloc_heap_set(heap.address)
    }
    lab_malloc_depth_set(0)
  }

  /// How many slow paths of a heap lie between two looks at whether memory should go back.
  private static var slowPathsPerPurge: UInt { 64 }

  /// Counts the slow paths, and looks after the heap now and then.
  @inline(__always)
  static func noteSlowPath(of heap: OwnedHeap) {
    heap.fields.slowPathCount &+= 1
    if heap.fields.slowPathCount % slowPathsPerPurge == 0 { purgeAtPause(heap.heap) }
  }

  @inline(never)
  private static func purgeAtPause(_ heap: ThreadHeap) {
    heap.purge(.pause(delayMilliseconds: ProcessState().fields.settings.purgeDelayMilliseconds))
  }

  /// What a thread does in the n-th turn of a wait for a lock. A signal handler may have forked after the slow path looked,
  /// be it in this very wait: nobody gives the lock back in the child.
  static var wait: LockWait {
    { turn in
      ProcessHeap.repairAfterFork()
      lab_malloc_pause(turn)
    }
  }

  static var processSpace: HeapSpace { HeapSpace(address: ProcessState().space) }

  /// The granule of the process heap around `address`, nil outside of its space.
  static func granule(around address: UInt) -> Granule? {
    let scaled = (address &+ lab_malloc_space_negative_base()) >> (Granule.byteShift - Granule.recordByteShift)
    guard scaled < lab_malloc_space_scaled_end() else { return nil }
    return processSpace.granule(around: address)
  }
}
