internal import CLabMalloc
internal import HeapSpaces
internal import ThreadHeaps

// The heap that young threads share. A heap of one's own touches a page for each size class it serves, 200 to 400 KiB for
// the first blocks of a thread, however few. Hundreds of threads that hold little each would hold mostly that. When there
// are some heaps already and no ended thread left one, a thread therefore begins on a heap that all such threads use in
// turns, under a lock. It gets its own when it has been on a slow path often enough to need one.
//
// Nothing else is special about that heap. It is never in a thread's slot: all of a young thread's calls come by the slow
// path, which holds the lock from `enter` to `leave`. Blocks that outlive a thread's youth go home like those of any other
// heap.

extension ProcessHeap {
  /// So many threads have heaps of their own from the start.
  private static var ownHeapMinimum: UInt { 2 }

  /// How many slow paths a thread's youth lasts: as many allocations as frees, 128 each.
  private static var youthMaximum: UInt32 { 256 }

  /// Whether a thread that asks for a heap is to begin on the shared one, made if need be; with the process's lock held.
  static func beginsOnShared(over space: HeapSpace) -> Bool {
    let state = ProcessState()
    guard state.fields.heapCount >= ownHeapMinimum, lab_malloc_age() == 0 else { return false }
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
      // The wait for the lock was in a child of fork, and gave up the heap.
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

  /// Lets other threads have the shared heap.
  static func leaveShared() { ProcessState().fields.sharedLock.release() }
}
