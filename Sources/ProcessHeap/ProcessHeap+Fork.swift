internal import CLabMalloc
internal import HeapSpaces
internal import MemoryRegions
internal import Synchronization

// Fork, without taking a lock at fork.
//
// Other heaps take their locks at fork, and these deadlock with the locks that fork itself takes: a thread inside stdio
// holds stdio's lock and waits for the heap's, while fork holds the heap's and waits for stdio's. Here fork takes no
// lock. The child learns that it is a child, and repairs the heap.
//
// It learns that from a page that the kernel wipes in a child (MADV_WIPEONFORK): the page's first word, the fork word,
// is zero there. Every slow path reads the word first, and so does every wait for a lock. Kernels before 4.14 and QEMU's
// user-mode emulator have no such pages: there the word holds the process's number, and each look is a system call.
//
// The child sees a prefix of another thread's work, in program order: fork write-protects the pages, and each store of
// the thread either comes before that or faults. Hence:
//
//   - A lock that is free guards a consistent structure: if the unlock is in the prefix, everything before it is too.
//   - A lock that another thread holds guards something half changed, by a thread that does not exist in the child. The
//     child releases the lock and starts that structure anew: a buddy over the granules that were never committed, arenas
//     without a range. The child loses the free memory of the old structure, but no live block.
//     The heap that young threads share is such a structure: the child makes a new one.
//   - The forking thread itself holds a lock when a signal handler forked that had interrupted a slow path. That lock
//     stays: the slow path goes on after the handler.
//   - Another thread's heap may be half changed too. No thread works on it any more: its live blocks stay, and freed
//     blocks wait on its `incoming` stacks for ever. Only the forking thread's heap goes on. It is consistent because that
//     very thread called fork or, if a handler called fork amid a slow path, because the slow path goes on.
//
// The first thread of the child that looks repairs the heap. It need not be the thread that forked: that one may be on
// hot paths, or in its handler, while a thread that it made looks. Other threads wait for the repair to end. If the
// repairing thread is not the one that forked, or interrupted a slow path, the heap that goes on is missing in the list
// of heaps that pass to new threads; nothing else is.
//
// A slow path's own waits may repair the heap. Therefore everything that it read before it took a lock may be out of
// date once it has the lock.

/// The value of the fork word, from which a child learns that it is one. On a wiped page the process's number counts as
/// 0. Any value other than the two below was written by a previous process, or is a wiped page's zero.
private struct ForkMark: Equatable {
  let word: UInt

  /// The process is known, and the heap is repaired.
  static func known(process: UInt) -> ForkMark { ForkMark(word: process << 2 | 1) }
  /// A thread of this process is repairing the heap.
  static func repairing(process: UInt) -> ForkMark { ForkMark(word: process << 2 | 2) }
}

extension ProcessHeap {
  /// Makes the fork word, with the process's lock held.
  static func setUpForkWord() {
    let state = ProcessState()
    guard state.forkWord == 0 else { return }
    let page = mapWipedPage()
    let address = page ?? state.unwipedForkWord
    let process = page == nil ? lab_malloc_process() : 0
    // Relaxed: the release of `forkWord` publishes it.
    withForkWord(at: address) { $0.store(ForkMark.known(process: process).word, ordering: .relaxed) }
    state.forkWord = address
  }

  /// A page that reads as zeros in a child of fork; nil when there is no memory, or the kernel has no such pages.
  private static func mapWipedPage() -> UInt? {
    guard let page = try? SystemPages.map(byteCount: SystemPages.byteCount) else { return nil }
    do throws(SystemError) {
      try SystemPages.wipeOnFork(page, byteCount: SystemPages.byteCount)
      return page
    } catch {
      try? SystemPages.unmap(page, byteCount: SystemPages.byteCount)
      return nil
    }
  }

  /// Repairs the heap if this is a new process.
  @inline(__always)
  static func repairAfterFork() {
    let address = ProcessState().forkWord
    if address == 0 { return }
    // Acquire pairs with the release of the thread that repaired.
    let word = withForkWord(at: address) { $0.load(ordering: .acquiring) }
    // A word without a wiped page never has this value.
    if ForkMark(word: word) != .known(process: 0) { repairUnlessKnown(wordAt: address) }
  }

  @inline(never)
  private static func repairUnlessKnown(wordAt address: UInt) {
    let word = withForkWord(at: address) { $0.load(ordering: .acquiring) }
    if ForkMark(word: word) == .known(process: markedProcess) { return }
    // A handler that interrupted the repair could wait for it, or fork amid it.
    lab_malloc_without_signals { ProcessHeap.repairOrWait() }
  }

  /// The process's number as the fork word has it.
  private static var markedProcess: UInt {
    ProcessState().forkWord == ProcessState().unwipedForkWord ? lab_malloc_process() : 0
  }

  private static func repairOrWait() {
    let process = markedProcess
    withForkWord(at: ProcessState().forkWord) { word in
      var turnCount: UInt32 = 0
      while true {
        // Acquire pairs with the release below, by the thread that repaired.
        let seen = word.load(ordering: .acquiring)
        if ForkMark(word: seen) == .known(process: process) { return }
        if ForkMark(word: seen) == .repairing(process: process) {
          turnCount &+= 1
          lab_malloc_pause(turnCount)
        } else if word.compareExchange(
          expected: seen, desired: ForkMark.repairing(process: process).word, ordering: .relaxed
        ).exchanged {
          repair()
          // Release pairs with the acquire above and with those in `repairAfterFork` and `repairUnlessKnown`.
          word.store(ForkMark.known(process: process).word, ordering: .releasing)
          return
        }
      }
    }
  }

  private static func repair() {
    let state = ProcessState()
    let survivor = lab_malloc_survivor()
    // Each structure before its lock: in a child of this child, made meanwhile by another thread, the lock is still
    // held.
    if state.fields.lock.isHeld(byOtherThan: survivor) { state.fields.lock.release() }
    if state.space != 0 {
      let space = processSpace
      if space.fields.lock.isHeld(byOtherThan: survivor) {
        space.abandonFrames()
        space.fields.lock.release()
      }
      if space.fields.sampleLock.isHeld(byOtherThan: survivor) {
        space.abandonSamples()
        space.fields.sampleLock.release()
      }
      space.forEachArena { arena in
        guard arena.fields.lock.isHeld(byOtherThan: survivor) else { return }
        arena.abandon()
        arena.fields.lock.release()
      }
    }
    if state.fields.sharedLock.isHeld(byOtherThan: survivor) {
      state.sharedHeap = 0
      state.fields.sharedLock.release()
    }
    if let textbook = TextbookHeap.current, textbook.fields.lock.isHeld(byOtherThan: survivor) {
      textbook.startAnew()
      textbook.fields.lock.release()
    }
    if state.fields.mappedLock.isHeld(byOtherThan: survivor) {
      MappedBlocks.abandonKept()
      state.fields.mappedLock.release()
    }
    keepOnlyOwnHeap()
    BackgroundPurge.noteFork()
    lab_sample_forget_thread()
    Telemetry.noteFork()
  }

  /// Forgets the heaps of threads that do not exist here.
  private static func keepOnlyOwnHeap() {
    let state = ProcessState()
    state.newestHeap = 0
    state.fields.heapCount = 0
    state.fields.endedHeap = 0
    state.fields.lastAttachedHeap = 0
    let mine = lab_malloc_heap()
    if mine == lab_malloc_empty_heap() { return }
    let heap = OwnedHeap(address: mine)
    heap.older = 0
    _ = heap.setOwner()
    state.newestHeap = mine
    state.fields.heapCount = 1
  }

  @inline(__always)
  private static func withForkWord<Result>(at address: UInt, _ body: (borrowing Atomic<UInt>) -> Result) -> Result {
    // SAFETY: the word is mapped for as long as the process lives, aligned, and only accessed as an atomic.
    unsafe body(UnsafePointer<Atomic<UInt>>(bitPattern: address).unsafelyUnwrapped.pointee)
  }
}
