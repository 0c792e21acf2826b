internal import CLabMalloc
internal import HeapBlocks
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
// million tries. A new thread therefore tries the heap that the last one got, which is still warm where threads follow
// each other. Then it takes the first from the list of ended heaps. Only when that is empty does it try all heaps, and
// only if a sixteenth as many threads came since the last search as there are heaps. It lists all that have ended, the
// newest first. So at most a sixteenth more heaps exist than there were threads at one time, and fewer where threads are
// short or small (ProcessHeap+Shared.swift).

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
      heap.heap.resetCache()
      noteNewThread(on: heap)
      return heap
    }
    if beginsOnShared(over: space) { return nil }
    guard let heap = OwnedHeap.create(over: space), heap.setOwner() else { return nil }
    heap.older = state.newestHeap
    state.newestHeap = heap.address
    state.fields.lastAttachedHeap = heap.address
    state.fields.heapCount += 1
    return heap
  }

  /// The part of the heaps that may have ended without being found: a sixteenth.
  private static var endedHeapShare: UInt { 16 }

  /// A heap whose thread ended, now owned by this thread; nil when none is found. With the lock held.
  private static func takeEnded() -> OwnedHeap? {
    let state = ProcessState()
    state.fields.attachCount += 1
    let last = OwnedHeap(address: state.fields.lastAttachedHeap)
    if last.address != 0, last.claim() { return last }
    if state.fields.endedHeap == 0, state.fields.attachCount > state.fields.heapCount / endedHeapShare {
      state.fields.attachCount = 0
      listEnded()
    }
    guard state.fields.endedHeap != 0 else { return nil }
    let heap = OwnedHeap(address: state.fields.endedHeap)
    state.fields.endedHeap = heap.fields.nextEnded
    guard heap.claim() else { return nil }
    state.fields.lastAttachedHeap = heap.address
    return heap
  }

  /// Lists the heaps whose threads ended, the newest first. The list must be empty.
  private static func listEnded() {
    let state = ProcessState()
    var listed = OwnedHeap(address: 0)
    var older = state.newestHeap
    while older != 0 {
      let heap = OwnedHeap(address: older)
      older = heap.older
      guard heap.claim() else { continue }
      heap.release()
      heap.fields.nextEnded = 0
      if listed.address == 0 { state.fields.endedHeap = heap.address } else { listed.fields.nextEnded = heap.address }
      listed = heap
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

  /// Visits the heaps whose threads ended. Each is claimed meanwhile: a thread that looks for one takes another.
  static func forEachEndedHeap(_ body: (ThreadHeap) -> Void) {
    let state = ProcessState()
    var address = state.newestHeap
    while address != 0 {
      let heap = OwnedHeap(address: address)
      address = heap.older
      guard state.fields.lock.acquire(wait) else { continue }
      let isClaimed = heap.claim()
      state.fields.lock.release()
      guard isClaimed else { continue }
      body(heap.heap)
      heap.release()
    }
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
