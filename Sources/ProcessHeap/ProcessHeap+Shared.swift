internal import CLabMalloc
internal import HeapSpaces
internal import ThreadHeaps

// The heap that young threads share. A heap touches a page for each size class that it serves: 200 to 400 KiB for the
// first blocks of a thread, however few. Hundreds of threads with few blocks each would mostly hold such pages. When
// there are some heaps already and none has lost its thread, a new thread therefore begins on a heap that all young
// threads use in turns, under a lock. It gets its own heap once it has been on enough slow paths to need one.
//
// That heap is not special otherwise. It is never in a thread's slot: all calls of a young thread take the slow path,
// which holds the lock from `enter` to `leave`. Blocks that outlive a thread's youth go home like those of any other
// heap.

extension ProcessHeap {
  /// How many heaps there must be before threads begin on the shared one.
  private static var ownHeapMinimum: UInt { 2 }

  /// How many slow paths a thread's youth lasts: 128 allocations and as many frees.
  private static var youthMaximum: UInt32 { 256 }

  /// Whether a thread that asks for a heap begins on the shared one, which is made if need be. With the process's lock
  /// held.
  static func beginsOnShared(over space: HeapSpace) -> Bool {
    let state = ProcessState()
    guard state.fields.heapCount >= ownHeapMinimum, lab_malloc_age() == 0 else { return false }
    // Its threads may be on any node.
    guard space.fields.nodeCount == 1 else { return false }
    if state.sharedHeap == 0 { state.sharedHeap = OwnedHeap.create(over: space)?.address ?? 0 }
    return state.sharedHeap != 0
  }

  /// The shared heap, locked, for a thread whose youth began and has not ended.
  @inline(__always)
  static func enterSharedWhileYoung() -> OwnedHeap? {
    let age = lab_malloc_age()
    return age &- 1 < youthMaximum ? enterShared() : nil
  }

  /// The shared heap, locked; nil when there is none.
  static func enterShared() -> OwnedHeap? {
    let state = ProcessState()
    guard state.sharedHeap != 0, state.fields.sharedLock.acquire(wait) else { return nil }
    if state.sharedHeap == 0 {
      // The wait for the lock repaired the heap in a child of fork, and dropped the shared heap.
      state.fields.sharedLock.release()
      return nil
    }
    let age = lab_malloc_age()
    lab_malloc_age_set(age &+ 1)
    let heap = OwnedHeap(address: state.sharedHeap)
    if age == 0 { noteNewThread(on: heap) }
    noteSlowPath(of: heap)
    return heap
  }

  /// Releases the shared heap to other threads.
  static func leaveShared() { ProcessState().fields.sharedLock.release() }
}
