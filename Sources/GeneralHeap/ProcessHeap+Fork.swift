internal import CLabMalloc
internal import Synchronization

// fork, without a lock at fork.
//
// Locks taken at fork, as other heaps do, deadlock with the locks that fork itself takes: a thread inside stdio holds
// stdio's and waits for the heap's, fork holds the heap's and waits for stdio's. Here fork takes nothing. The child
// finds out by itself, and repairs what it must.
//
// It finds out by a page that the kernel wipes in a child (MADV_WIPEONFORK): its first word reads as zero there. Every
// slow path looks at it first, and so does every wait for a lock.
//
// What the child sees of another thread's work is a prefix of it, in program order: fork write-protects the pages, and
// a thread's stores land before that or fault. So:
//
//   - A lock that nobody holds guards a consistent structure: if the unlock is in the prefix, so is all before it.
//   - A lock that another thread holds guards something half done, by a thread that is not there. The child frees the
//     lock and starts that structure anew: a buddy over the granules that were never committed, arenas without a
//     range. What was free in the old one is lost to the child; nothing that is live is.
//     The heap that young threads share is such a structure: the child makes a new one.
//   - A thread heap of another thread may be half done too. Nobody works on it any more: its live blocks stay, and
//     what is given back to it waits on its `incoming` stack for ever. Only the forking thread's heap goes on, and it
//     is consistent, because that very thread called fork; or, when it did so in a signal handler that interrupted a
//     slow path, because the slow path goes on after the handler.

extension ProcessHeap {
  /// Repairs the heap when this is a new process.
  @inline(__always)
  static func repairAfterFork() {
    let page = ProcessState().forkPage
    if page != 0, lab_malloc_word(CUnsignedLong(page)) == 0 { repair() }
  }

  @inline(never)
  private static func repair() {
    let state = ProcessState()
    // SAFETY: the page is mapped, private and only ever accessed as a word.
    let word = unsafe UnsafePointer<Atomic<UInt>>(bitPattern: state.forkPage).unsafelyUnwrapped
    // 2 while repairing, so that a second thread of the child waits for the first.
    guard unsafe word.pointee.compareExchange(expected: 0, desired: 2, ordering: .acquiringAndReleasing).exchanged
    else { return }
    if HeapLock.isHeldByAnother(at: state.address) { HeapLock.release(at: state.address) }
    if state.space != 0 {
      let space = processSpace
      if HeapLock.isHeldByAnother(at: space.address) {
        space.abandonFrames()
        HeapLock.release(at: space.address)
      }
      if HeapLock.isHeldByAnother(at: space.arenaLock) {
        space.abandonArena()
        HeapLock.release(at: space.arenaLock)
      }
    }
    if HeapLock.isHeldByAnother(at: state.sharedLock) {
      state.sharedHeap = 0
      HeapLock.release(at: state.sharedLock)
    }
    if let textbook = TextbookHeap.current, HeapLock.isHeldByAnother(at: textbook.address) {
      _ = textbook.start()
      HeapLock.release(at: textbook.address)
    }
    if HeapLock.isHeldByAnother(at: state.mappedLock) {
      HeapLock.release(at: state.mappedLock)
    }
    let mine = UInt(lab_malloc_heap())
    let empty = UInt(lab_malloc_empty_heap_address())
    state.newestHeap = 0
    state.fields.heapCount = 0
    if mine != empty {
      let heap = ThreadHeap(address: mine)
      heap.fields.olderHeap = 0
      _ = lab_malloc_owner_init(CUnsignedLong(mine + ThreadHeap.markOffset))
      state.newestHeap = mine
      state.fields.heapCount = 1
    }
    unsafe word.pointee.store(1, ordering: .releasing)
  }
}
