internal import CLabMalloc
internal import HeapBlocks
internal import HeapSpaces
internal import ThreadHeaps

// A slow path first takes the thread's heap out of the thread's slot, which holds the empty heap until the path ends. A
// signal handler that interrupts the path and allocates thus finds no active list, and no span is its own when it
// frees. Its slow path sees the depth and touches nothing that is being changed: allocations come from a small region
// of their own, and frees go out as if by another thread.

extension ProcessHeap {
  /// Begins a slow path and returns this thread's heap, which is made or adopted if there is none. Nil inside an
  /// interrupted slow path, under a textbook policy, and when there is no memory for a heap.
  static func enter() -> ThreadHeap? {
    guard lab_malloc_depth() == 0 else { return nil }
    lab_malloc_depth_set(1)
    repairAfterFork()
    MappedBlocks.purgeIfDue()
    let address = lab_malloc_heap()
    if address != lab_malloc_empty_heap() {
      lab_malloc_heap_set(lab_malloc_empty_heap())
      let heap = OwnedHeap(address: address)
      noteSlowPath(of: heap)
      Sampling.follow(heap.heap)
      return heap.heap
    }
    if ProcessState().textbook == 0, let heap = attach() {
      Sampling.follow(heap.heap)
      return heap.heap
    }
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

  /// Every how many slow paths a heap asks whether a purge is due.
  private static var slowPathsPerPurge: UInt { 64 }

  /// Counts a slow path, and purges now and then; each slow path goes on with a purge that is under way.
  @inline(__always)
  static func noteSlowPath(of heap: OwnedHeap) {
    heap.fields.slowPathCount &+= 1
    if heap.fields.slowPathCount % slowPathsPerPurge == 0 || heap.heap.isPurging { purgeAtPause(heap.heap) }
  }

  @inline(never)
  private static func purgeAtPause(_ heap: ThreadHeap) {
    Telemetry.renewPage()
    heap.purge(.pause(delayMilliseconds: ProcessState().fields.settings.purgeDelayMilliseconds))
  }

  /// Called between looks at a taken lock; the argument counts the turns of the wait. A signal handler may have forked
  /// after the slow path read the fork word, even in this wait, and in the child no thread would release the lock.
  static var wait: LockWait {
    { turn in
      ProcessHeap.repairAfterFork()
      lab_malloc_pause(turn)
    }
  }

  static var processSpace: HeapSpace { HeapSpace(address: ProcessState().space) }

  /// The granule of the process heap around `address`; nil outside of its space.
  static func granule(around address: UInt) -> Granule? {
    ProcessState().space == 0 ? nil : processSpace.granule(around: address)
  }
}
