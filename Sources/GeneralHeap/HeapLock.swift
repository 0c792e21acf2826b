internal import CLabMalloc
internal import CLabPlatform
internal import Synchronization

/// A spin lock that knows its holder.
///
/// The holder is what a child of fork asks for: a lock whose holder is not there any more guards something that was
/// being changed when the process was copied. It is also what a signal handler asks that interrupted this very thread
/// inside the lock: to wait would be for ever.
struct HeapLock {
  /// 0 when free, else the holder's `lab_malloc_thread()`.
  private var holder: UInt = 0

  init() {}

  /// Where the lock lies.
  typealias Word = Atomic<UInt>

  /// Takes the lock at `address`; false when this thread holds it already.
  static func acquire(at address: UInt) -> Bool {
    // SAFETY: the caller's lock lives as long as its heap and is only ever accessed as this atomic.
    let word = unsafe UnsafePointer<Word>(bitPattern: address).unsafelyUnwrapped
    let me = UInt(lab_malloc_thread())
    while true {
      // Acquire pairs with the release in `release(at:)`.
      let (taken, holder) = unsafe word.pointee.compareExchange(
        expected: 0, desired: me, successOrdering: .acquiring, failureOrdering: .relaxed)
      if taken { return true }
      if holder == me { return false }
      wait(at: address)
    }
  }

  /// Waits until the lock at `address` is free.
  @inline(never)
  private static func wait(at address: UInt) {
    // SAFETY: as above.
    let word = unsafe UnsafePointer<Word>(bitPattern: address).unsafelyUnwrapped
    var spinCount: UInt32 = 0
    while unsafe word.pointee.load(ordering: .relaxed) != 0 {
      spinCount &+= 1
      if spinCount & 63 != 0 {
        lab_platform_relax()
      } else {
        // A signal handler may have forked after this slow path looked, be it in this loop: nobody gives the lock back
        // in the child.
        ProcessHeap.repairAfterFork()
        lab_malloc_pause(spinCount >> 6)
      }
    }
  }

  /// Gives the lock at `address` back.
  static func release(at address: UInt) {
    // SAFETY: as above.
    let word = unsafe UnsafePointer<Word>(bitPattern: address).unsafelyUnwrapped
    unsafe word.pointee.store(0, ordering: .releasing)
  }

  /// Whether the lock at `address` is held by a thread other than `survivor`, a `lab_malloc_survivor()`: in a child of
  /// fork that was not repaired, by one that is not there.
  static func isHeld(at address: UInt, byOtherThan survivor: UInt) -> Bool {
    // SAFETY: as above.
    let word = unsafe UnsafePointer<Word>(bitPattern: address).unsafelyUnwrapped
    let holder = unsafe word.pointee.load(ordering: .acquiring)
    return holder != 0 && holder != survivor && holder & UInt(LAB_MALLOC_THREAD_ADDRESS) != survivor
  }
}
