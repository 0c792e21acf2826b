internal import CLabMalloc
internal import HeapBlocks
internal import HeapSpaces
internal import Synchronization
internal import ThreadHeaps

// HEAPLAB_BACKGROUND=1: a thread that purges what idles. Without it free memory waits for the program's next slow path.
//
// The thread comes when it is needed and ends when it is not. The first free on a slow path starts it. It sleeps for the
// purge delay. If no slow path freed anything meanwhile, the process is quiet: the thread purges all that it can reach,
// and ends. Otherwise it purges what is due, and sleeps again. So it wakes up once in a delay at most, never while the
// process idles, and holds up the end of a process whose other threads have ended by two delays at most. A child of fork
// has no such thread; its first free on a slow path starts one.
//
// It reaches free granules, arenas, kept mappings, the heaps of ended threads and the shared heap. What live threads hold
// is theirs.
//
//     off      the setting; also when the system refuses a thread
//     absent   no thread; the next free on a slow path starts one
//     noted    there is a thread, and a slow path freed memory since it fell asleep
//     quiet    there is a thread, and none did
//
// The thread itself allocates nothing, and blocks all signals. To start it, libc allocates: hence after the slow path,
// when the calling thread has its heap back.

enum BackgroundPurge {
  /// The values of the word that threads and the purging thread share.
  enum Phase: UInt {
    case off = 0
    case noted = 1
    case quiet = 2
    case absent = 3
  }

  private static var state: ProcessState { ProcessState() }

  /// The shortest sleep. Without a delay memory is purged when it is freed, and little is left to do.
  private static var sleepMinimumMilliseconds: UInt { 10 }

  /// How many pieces of the arenas and of the free granules one wake-up purges while the process is busy: 16 MiB each.
  private static var pieceMaximum: Int { 64 }

  static var phase: Phase { Phase(rawValue: state.fields.background.load(ordering: .relaxed)) ?? .off }

  /// Makes the thread start when it is needed: at the set-up, and in a child of fork.
  static func allow() { state.fields.background.store(Phase.absent.rawValue, ordering: .relaxed) }

  /// Forgets the thread, in a child of fork.
  static func noteFork() {
    lab_malloc_note_process()
    if phase != .off { allow() }
  }

  /// Notes that a slow path, which has ended, freed memory.
  @inline(__always)
  static func noteFree() {
    if state.fields.background.load(ordering: .relaxed) >= Phase.quiet.rawValue { noteFirstFree() }
  }

  @inline(never)
  private static func noteFirstFree() {
    if change(from: .quiet, to: .noted) { return }
    // A handler may have interrupted libc, which the start of a thread needs.
    guard phase == .absent, lab_malloc_depth() == 0, lab_malloc_may_start_thread() != 0,
      change(from: .absent, to: .noted)
    else { return }
    if lab_malloc_start_thread({ BackgroundPurge.run() }) != 0 {
      state.fields.background.store(Phase.off.rawValue, ordering: .relaxed)
    }
  }

  /// Changes the word, and returns whether it was `old`. Relaxed: it orders nothing. The locks of what is purged do.
  private static func change(from old: Phase, to new: Phase) -> Bool {
    state.fields.background.compareExchange(expected: old.rawValue, desired: new.rawValue, ordering: .relaxed).exchanged
  }

  /// The thread's work.
  private static func run() {
    let delay = state.fields.settings.purgeDelayMilliseconds
    while true {
      state.fields.background.store(Phase.quiet.rawValue, ordering: .relaxed)
      lab_malloc_sleep(max(delay, sleepMinimumMilliseconds))
      let isQuiet = phase == .quiet
      purge(isQuiet: isQuiet)
      if isQuiet, change(from: .quiet, to: .absent) { return }
    }
  }
}

// What one wake-up purges. No lock is held for longer than a piece takes.
extension BackgroundPurge {
  /// Purges everything within reach in a quiet process, else what is due.
  static func purge(isQuiet: Bool) {
    let delay = state.fields.settings.purgeDelayMilliseconds
    let space = ProcessHeap.processSpace
    // What ended threads left is purged piece by piece, however little there is of it.
    let occasion: PurgeOccasion = isQuiet ? .newThread(delayMilliseconds: 0) : .pause(delayMilliseconds: delay)
    purgeEndedHeaps(occasion)
    if isQuiet {
      purgeSharedHeap(occasion)
      space.purgeArenas(.demand)
      space.purgeGranules(.demand)
      MappedBlocks.releaseKept(in: space)
    } else {
      for _ in 0..<pieceMaximum {
        space.purgeArenas(occasion)
        space.purgeGranules(occasion)
      }
      while MappedBlocks.purge() != 0 {}
    }
  }

  private static func purgeEndedHeaps(_ occasion: PurgeOccasion) {
    ProcessHeap.forEachEndedHeap { heap in
      heap.gatherIdle()
      repeat { heap.purge(occasion) } while heap.isPurging
    }
  }

  private static func purgeSharedHeap(_ occasion: PurgeOccasion) {
    var isFirst = true
    while state.sharedHeap != 0, state.fields.sharedLock.acquire(ProcessHeap.wait) {
      let heap = ThreadHeap(address: state.sharedHeap)
      if isFirst { heap.gatherIdle() }
      isFirst = false
      heap.purge(occasion)
      let isPurging = heap.isPurging
      state.fields.sharedLock.release()
      if !isPurging { return }
    }
  }
}
