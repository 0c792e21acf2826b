internal import CLabMalloc
internal import HeapSpaces
internal import ThreadHeaps

// Threads that the scheduler moved to another memory node, under HEAPLAB_NODE=local.

extension ProcessHeap {
  /// Every how many slow paths a heap looks where its thread is.
  private static var slowPathsPerLook: UInt { 8 }

  /// The heap to go on with: `heap`, or one of the thread's node if that is now another one.
  @inline(__always)
  static func following(_ heap: OwnedHeap) -> OwnedHeap {
    guard heap.fields.slowPathCount % slowPathsPerLook == 0, ProcessState().fields.placement.nodes.count != 0 else {
      return heap
    }
    return followed(heap)
  }

  /// Leaves the heap behind for another thread of its node, if this thread is on another one. Blocks of the heap that this
  /// thread frees later go home to it.
  @inline(never)
  private static func followed(_ heap: OwnedHeap) -> OwnedHeap {
    let state = ProcessState()
    guard Placement.threadNode != heap.heap.fields.node, state.fields.lock.acquire(wait) else { return heap }
    let other = adoptOrCreate()
    state.fields.lock.release()
    guard let other else { return heap }
    heap.heap.flushOutgoing()
    heap.release()
    return other
  }
}
