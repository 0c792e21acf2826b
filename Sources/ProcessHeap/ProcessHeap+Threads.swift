internal import HeapBlocks
internal import CLabMalloc
internal import HeapSpaces
internal import ThreadHeaps

// How threads get heaps.
//
// A heap outlives its thread. Each has a robust mutex that its thread holds for as long as it lives. However the thread
// ends, the kernel itself marks the mutex (get_robust_list(2)). No code runs at a thread's end. A thread's last frees,
// in destructors of thread-local objects and in libc's own clean-up, are frees like any other, and a short-lived thread
// pays nothing for its end. A new thread first looks for a heap whose thread ended and goes on with the whole of it:
// spans, active lists and all.
//
// Looking at a heap means trying its mutex. Trying all of them for each new thread would cost a thousand threads a
// million tries. A thread that finds the list of ended heaps empty therefore tries them only if, since the last search,
// an eighth as many threads came as there are heaps. It puts all ended heaps that it finds on the list. So at most an
// eighth more heaps exist than there were threads at one time, and fewer where threads are short or small
// (ProcessHeap+Shared.swift).

extension ProcessHeap {
  /// A heap for this thread, whose slot still holds the empty one; nil when there is no memory.
  static func attach() -> OwnedHeap? {
    if let heap = enterSharedWhileYoung() { return heap }
    let state = ProcessState()
    guard state.fields.lock.acquire(wait) else { return nil }
    let heap = adoptOrCreate()
    state.fields.lock.release()
    return heap ?? enterShared()
  }

  /// A heap for this thread alone, with the lock held. Nil when the thread begins on the shared heap, and when there is
  /// no memory.
  private static func adoptOrCreate() -> OwnedHeap? {
    let state = ProcessState()
    guard let space = setUp() else { return nil }
    if let heap = takeEnded() {
      // The blocks that the ended thread had at hand go where every thread finds them.
      heap.heap.flushOutgoing()
      heap.heap.flushCache()
      heap.heap.limitCache(heapCount: state.fields.heapCount)
      noteNewThread(on: heap)
      return heap
    }
    if beginsOnShared(over: space) { return nil }
    guard let heap = OwnedHeap.create(over: space), heap.setOwner() else { return nil }
    heap.older = state.newestHeap
    state.newestHeap = heap.address
    state.fields.heapCount += 1
    heap.heap.limitCache(heapCount: state.fields.heapCount)
    return heap
  }

  /// The part of the heaps that may have ended without being found: an eighth.
  private static var endedHeapShare: UInt { 8 }

  /// A heap whose thread ended, now owned by this thread; nil when none is found. With the lock held.
  private static func takeEnded() -> OwnedHeap? {
    let state = ProcessState()
    state.fields.attachCount += 1
    if state.fields.endedHeap == 0, state.fields.attachCount > state.fields.heapCount / endedHeapShare {
      state.fields.attachCount = 0
      listEnded()
    }
    guard state.fields.endedHeap != 0 else { return nil }
    let heap = OwnedHeap(address: state.fields.endedHeap)
    state.fields.endedHeap = heap.fields.nextEnded
    return heap.claim() ? heap : nil
  }

  /// Lists the heaps whose threads ended. The list must be empty.
  private static func listEnded() {
    let state = ProcessState()
    var older = state.newestHeap
    while older != 0 {
      let heap = OwnedHeap(address: older)
      if heap.claim() {
        heap.release()
        heap.fields.nextEnded = state.fields.endedHeap
        state.fields.endedHeap = heap.address
      }
      older = heap.older
    }
  }

  /// How many threads begin on a heap between two purges, and how many purge delays lie between them.
  private static var threadsPerPurge: UInt { 32 }
  private static var delaysPerPurge: UInt { 10 }

  /// Purges, now and then, the memory that earlier threads freed. Each short-lived thread frees too little for a purge
  /// of its own, and the next thread often does not need what the last one needed.
  static func noteNewThread(on heap: OwnedHeap) {
    heap.fields.adoptionCount &+= 1
    guard heap.fields.adoptionCount % threadsPerPurge == 0 else { return }
    heap.heap.collectIncoming()
    let delay = ProcessState().fields.settings.purgeDelayMilliseconds
    heap.heap.purge(.newThread(delayMilliseconds: delay * delaysPerPurge))
  }

  /// Visits the threads' heaps and the shared one.
  static func forEachHeap(_ body: (ThreadHeap) -> Void) {
    let shared = ProcessState().sharedHeap
    if shared != 0 { body(ThreadHeap(address: shared)) }
    var address = ProcessState().newestHeap
    while address != 0 {
      body(ThreadHeap(address: address))
      address = OwnedHeap(address: address).older
    }
  }
}
