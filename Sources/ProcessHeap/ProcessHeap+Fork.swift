internal import CLabMalloc
internal import HeapSpaces
internal import MemoryRegions
internal import Synchronization

// fork, without a lock at fork.
//
// Locks taken at fork, as other heaps do, deadlock with the locks that fork itself takes: a thread inside stdio holds
// stdio's and waits for the heap's, fork holds the heap's and waits for stdio's. Here fork takes nothing. The child
// finds out by itself, and repairs what it must.
//
// It finds out by a page that the kernel wipes in a child (MADV_WIPEONFORK): its first word reads as zero there. Every
// slow path looks at it first, and so does every wait for a lock. Where there is no such page, with kernels before 4.14,
// the word holds the process's number, and each look is a system call.
//
// What the child sees of another thread's work is a prefix of it, in program order: fork write-protects the pages, and
// a thread's stores land before that or fault. So:
//
//   - A lock that nobody holds guards a consistent structure: if the unlock is in the prefix, so is all before it.
//   - A lock that another thread holds guards something half done, by a thread that is not there. The child frees the
//     lock and starts that structure anew: a buddy over the granules that were never committed, arenas without a
//     range. What was free in the old one is lost to the child; nothing that is live is.
//     The heap that young threads share is such a structure: the child makes a new one.
//   - A lock that the forking thread itself holds, since a signal handler forked that had interrupted a slow path, stays:
//     the slow path goes on after the handler.
//   - A thread heap of another thread may be half done too. Nobody works on it any more: its live blocks stay, and
//     what is given back to it waits on its `incoming` stack for ever. Only the forking thread's heap goes on, and it
//     is consistent, because that very thread called fork; or, when it did so in a signal handler that interrupted a
//     slow path, because the slow path goes on after the handler.
//
// Who repairs is the first thread of the child that looks, which need not be the one that forked: that one may be on hot
// paths, or in its handler, while a thread that it made looks. The others wait until it is done. If it is not the one that
// forked, or was in the midst of a slow path, the heap that goes on is missing among those that are handed to new
// threads; nothing else is.
//
// Since a slow path's own waits repair, whatever it read before it took a lock may be out of date once it has it.

/// What the word says by which a child of fork finds out that it is one. For a page that is wiped, the process's number
/// is 0 here; and a word that says neither is one of a process before.
private struct ForkMark: Equatable {
  let word: UInt

  /// The process is known, and repaired.
  static func known(process: UInt) -> ForkMark { ForkMark(word: process << 2 | 1) }
  /// Another thread is repairing.
  static func repairing(process: UInt) -> ForkMark { ForkMark(word: process << 2 | 2) }
}

extension ProcessHeap {
  /// Makes the word by which a child finds out, with the process's lock held.
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

  /// A page that reads as zeros in a child of fork, nil also when the kernel has no such pages.
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

  /// Repairs the heap when this is a new process.
  @inline(__always)
  static func repairAfterFork() {
    let address = ProcessState().forkWord
    if address == 0 { return }
    // Acquire pairs with the release of who repaired.
    let word = withForkWord(at: address) { $0.load(ordering: .acquiring) }
    // A word without a page never says this.
    if ForkMark(word: word) != .known(process: 0) { repairUnlessKnown(wordAt: address) }
  }

  @inline(never)
  private static func repairUnlessKnown(wordAt address: UInt) {
    let word = withForkWord(at: address) { $0.load(ordering: .acquiring) }
    if ForkMark(word: word) == .known(process: markedProcess) { return }
    // A handler that interrupted the repair could wait for it, or fork in its midst.
    lab_malloc_without_signals { ProcessHeap.repairOrWait() }
  }

  /// The process's number as the word has it.
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
    // Each structure before its lock: in a child of this child, made meanwhile by another thread, the lock is still held.
    if state.fields.lock.isHeld(byOtherThan: survivor) { state.fields.lock.release() }
    if state.space != 0 {
      let space = processSpace
      if space.fields.lock.isHeld(byOtherThan: survivor) {
        space.abandonFrames()
        space.fields.lock.release()
      }
      if space.fields.arenaLock.isHeld(byOtherThan: survivor) {
        space.abandonArena()
        space.fields.arenaLock.release()
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
    if state.fields.mappedLock.isHeld(byOtherThan: survivor) { state.fields.mappedLock.release() }
    keepOnlyOwnHeap()
  }

  /// Forgets the heaps of threads that are not there.
  private static func keepOnlyOwnHeap() {
    let state = ProcessState()
    state.newestHeap = 0
    state.fields.heapCount = 0
    state.fields.endedHeap = 0
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
    // SAFETY: the word is mapped for as long as the process lives, aligned, and read and written as an atomic only.
    unsafe body(UnsafePointer<Atomic<UInt>>(bitPattern: address).unsafelyUnwrapped.pointee)
  }
}
