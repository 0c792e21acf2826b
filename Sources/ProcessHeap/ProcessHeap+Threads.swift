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
  static func adoptOrCreate() -> OwnedHeap? {
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
    guard let heap = OwnedHeap.create(over: space, node: Placement.threadNode), heap.setOwner() else { return nil }
    Placement.moveRecord(of: heap)
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
    let node = Placement.threadNode
    if last.address != 0, last.heap.fields.node == node, last.claim() { return last }
    if !hasListed(onNode: node), state.fields.attachCount > state.fields.heapCount / endedHeapShare {
      state.fields.attachCount = 0
      listEnded()
    }
    guard let heap = takeListed(onNode: node), heap.claim() else { return nil }
    state.fields.lastAttachedHeap = heap.address
    return heap
  }

  /// The heap in front of the first listed one of a node: 0 for none, nil when none of the node's is near. Only under
  /// HEAPLAB_NODE=local are there several nodes.
  private static func listed(onNode node: UInt8) -> (before: OwnedHeap, found: OwnedHeap)? {
    var before = OwnedHeap(address: 0)
    var found = OwnedHeap(address: ProcessState().fields.endedHeap)
    var count = 0
    while found.address != 0, count < listedLookMaximum {
      if found.heap.fields.node == node { return (before, found) }
      before = found
      found = OwnedHeap(address: found.fields.nextEnded)
      count += 1
    }
    return nil
  }

  /// How many listed heaps a new thread looks at for one of its node.
  private static var listedLookMaximum: Int { 256 }

  private static func hasListed(onNode node: UInt8) -> Bool { listed(onNode: node) != nil }

  /// Takes the first listed heap of a node off the list.
  private static func takeListed(onNode node: UInt8) -> OwnedHeap? {
    guard let (before, found) = listed(onNode: node) else { return nil }
    if before.address == 0 {
      ProcessState().fields.endedHeap = found.fields.nextEnded
    } else {
      before.fields.nextEnded = found.fields.nextEnded
    }
    return found
  }

  /// Lists the heaps whose threads ended, the newest first, in place of the former list.
  private static func listEnded() {
    let state = ProcessState()
    state.fields.endedHeap = 0
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
