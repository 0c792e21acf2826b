internal import HeapBlocks
internal import HeapSpaces
internal import ThreadHeaps

// What malloc_trim returns to the system: all that the heap of the calling thread, those of ended threads, the one that
// young threads share, and the space have free. The heaps of other threads that live stay: their hot paths take no lock
// and set no mark, so that nobody can know whether such a thread, though asleep, is in the middle of one.

extension ProcessHeap {
  /// Purges all that no other thread may be using. Returns whether any memory went back to the system.
  /// - Complexity: O(heaps + granules), and the system's work for the pages that go.
  public static func trim() -> Bool {
    guard let heap = enter() else { return false }
    defer { leave(heap) }
    let before = heap.space.returnedByteCount
    forEachEndedHeap { $0.purgeIdle() }
    if heap.address != ProcessState().sharedHeap { trimShared() }
    heap.collectIncoming()
    heap.purge(.demand)
    let keptByteCount = MappedBlocks.releaseKept(in: heap.space)
    return keptByteCount != 0 || heap.space.returnedByteCount != before
  }

  /// Purges the heap that young threads share, while none of them uses it.
  private static func trimShared() {
    let state = ProcessState()
    guard state.sharedHeap != 0, state.fields.sharedLock.acquire(wait) else { return }
    // A child of fork that repaired the heap in the wait for the lock has no shared heap.
    if state.sharedHeap != 0 { ThreadHeap(address: state.sharedHeap).purgeIdle() }
    leaveShared()
  }
}
