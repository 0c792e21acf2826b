internal import HeapBlocks
internal import CLabMalloc
internal import HeapSpaces
internal import ThreadHeaps

// How threads come by heaps, and heaps by new threads.
//
// A heap outlives its thread. Each carries a robust mutex that its thread holds as long as it lives. When the thread ends, in
// whatever way, the kernel itself marks the mutex (get_robust_list(2)). Nothing runs at the thread's end: a thread's last
// frees, in destructors of thread-local objects and in libc's own clean-up, are frees like any other, and a thread that
// lives shortly pays nothing for its end. A new thread first looks for a heap whose thread ended and goes on with it whole:
// spans, active lists and all.
//
// To look is to try a mutex, and to try all of them for each new thread would cost a thousand threads a million tries. A
// thread that finds the list of ended heaps empty therefore tries them all only if an eighth as many threads as there are
// heaps came since the last time, and puts all it finds onto the list. So there are at most an eighth more heaps than there
// were threads at one time; and fewer where threads are short or small (ProcessHeap+Shared.swift).

extension ProcessHeap {
  /// A heap for this thread, with its slot still showing the empty one; nil when there is no memory.
  static func attach() -> OwnedHeap? {
    if let heap = enterSharedWhileYoung() { return heap }
    let state = ProcessState()
    guard state.fields.lock.acquire(wait) else { return nil }
    let heap = adoptOrCreate()
    state.fields.lock.release()
    return heap ?? enterShared()
  }

  /// A heap for this thread alone, with the lock held; nil when it is to begin on the shared one, or when there is no
  /// memory.
  private static func adoptOrCreate() -> OwnedHeap? {
    let state = ProcessState()
    guard let space = setUp() else { return nil }
    if let heap = takeEnded() {
      // What the ended thread had at hand goes where every thread finds it.
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

  /// Which part of the heaps may have ended without being found.
  private static var endedHeapShare: UInt { 8 }

  /// A heap whose thread ended, now this thread's, nil when none is found; with the lock held.
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

  /// Lists the heaps whose threads ended; the list is empty.
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

  /// How many threads begin on a heap between two purges, and how many delays lie between them.
  private static var threadsPerPurge: UInt { 32 }
  private static var delaysPerPurge: UInt { 10 }

  /// Gives back what the threads before left free, now and then. Threads that live shortly free too little each for a purge
  /// of their own, and what one of them needs the next one often does not.
  static func noteNewThread(on heap: OwnedHeap) {
    heap.fields.adoptionCount &+= 1
    guard heap.fields.adoptionCount % threadsPerPurge == 0 else { return }
    heap.heap.collectIncoming()
    let delay = ProcessState().fields.settings.purgeDelayMilliseconds
    heap.heap.purge(.newThread(delayMilliseconds: delay * delaysPerPurge))
  }

  /// Visits the threads' heaps and the one that young threads share.
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
