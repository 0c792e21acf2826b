internal import CLabMalloc
internal import Assertions

// How threads come by heaps, and heaps by new threads.
//
// A heap outlives its thread. Each carries a robust mutex that its thread holds as long as it lives; when the thread
// ends, in whatever way, the kernel itself marks the mutex (get_robust_list(2)). Nothing runs at the thread's
// end, so that a thread's last frees, in destructors of thread-local objects and in libc's own clean-up, are frees like
// any other, and a thread that lives shortly pays nothing for its end. A new thread first looks for a heap whose
// thread ended and goes on with it whole: spans, active lists and all. So there are never more heaps than there
// were threads at one time; and fewer where threads are short or small (ProcessHeap+Shared.swift).

extension ProcessHeap {
  /// A heap for this thread, with its slot still showing the empty one; nil when there is no memory.
  static func attach() -> ThreadHeap? {
    if let heap = enterSharedWhileYoung() { return heap }
    let state = ProcessState()
    guard HeapLock.acquire(at: state.address) else { return nil }
    let heap = adoptOrCreate()
    HeapLock.release(at: state.address)
    return heap ?? enterShared()
  }

  /// A heap for this thread alone, with the lock held; nil when it is to begin on the shared one, or when there is no
  /// memory.
  private static func adoptOrCreate() -> ThreadHeap? {
    let state = ProcessState()
    guard let space = setUp() else { return nil }
    var older = state.newestHeap
    while older != 0 {
      let heap = ThreadHeap(address: older)
      if lab_malloc_owner_claim(CUnsignedLong(heap.address + ThreadHeap.markOffset)) == 0 {
        // What the ended thread had at hand goes where every thread finds it.
        heap.flushOutgoing()
        heap.flushCache()
        heap.limitCache(heapCount: state.fields.heapCount)
        noteNewThread(on: heap)
        return heap
      }
      older = heap.fields.olderHeap
    }
    if beginsOnShared(over: space) { return nil }
    guard let heap = ThreadHeap.create(over: space) else { return nil }
    guard lab_malloc_owner_init(CUnsignedLong(heap.address + ThreadHeap.markOffset)) == 0 else { return nil }
    heap.fields.olderHeap = state.newestHeap
    state.newestHeap = heap.address
    state.fields.heapCount += 1
    heap.limitCache(heapCount: state.fields.heapCount)
    return heap
  }

  /// Gives back what the threads before left free, at every 32nd thread that begins on a heap, once in ten delays.
  ///
  /// Threads that live shortly free too little each for a purge of their own, and what one of them needs the next one
  /// often does not.
  static func noteNewThread(on heap: ThreadHeap) {
    heap.fields.adoptionCount &+= 1
    guard heap.fields.adoptionCount & 31 == 0 else { return }
    heap.collectIncoming()
    let delay = ProcessState().fields.settings.purgeDelayMilliseconds
    if heap.fields.pace.millisecondsSincePurge >= delay * 10 { heap.purge() }
  }

  /// Reserves the space when there is none yet, with the lock held.
  private static func setUp() -> HeapSpace? {
    let state = ProcessState()
    if state.space != 0 { return processSpace }
    if state.textbook != 0 { return nil }
    state.fields.settings = Settings.fromEnvironment()
    setUpForkWord()
    if state.fields.settings.policy != .general {
      guard let heap = TextbookHeap.create(state.fields.settings) else { return nil }
      if state.fields.settings.showsStatistics { lab_malloc_report_at_exit() }
      state.textbook = heap.address
      return nil
    }
    // The tables of a range that is not reserved are small enough to be locked.
    let reserves = state.fields.settings.reservesAddressSpace
    guard let reservation = HeapReservation.make(byteCount: (reserves ? 256 : 64) << 30, reserves: reserves) else {
      return nil
    }
    guard let space = HeapSpace.create(over: reservation) else {
      reservation.release()
      return nil
    }
    space.quotaByteCount = state.fields.settings.limitByteCount
    state.space = space.address
    if state.fields.settings.showsStatistics { lab_malloc_report_at_exit() }
    lab_malloc_space_set(CUnsignedLong(reservation.base))
    return space
  }
}
