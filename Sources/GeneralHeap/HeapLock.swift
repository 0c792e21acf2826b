internal import CLabMalloc
internal import Synchronization
internal import CLabPlatform

/// A spin lock that knows its holder, by address.
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
    var spinCount = 0
    while true {
      // Acquire pairs with the release in `release(at:)`.
      let (taken, holder) = unsafe word.pointee.compareExchange(
        expected: 0, desired: me, successOrdering: .acquiring, failureOrdering: .relaxed)
      if taken { return true }
      if holder == me { return false }
      while unsafe word.pointee.load(ordering: .relaxed) != 0 {
        spinCount &+= 1
        if spinCount & 63 == 0 { lab_platform_yield() } else { lab_platform_relax() }
      }
    }
  }

  /// Gives the lock at `address` back.
  static func release(at address: UInt) {
    // SAFETY: as above.
    let word = unsafe UnsafePointer<Word>(bitPattern: address).unsafelyUnwrapped
    unsafe word.pointee.store(0, ordering: .releasing)
  }

  /// Whether another thread holds the lock at `address`; asked in a child of fork, where there is no other thread.
  static func isHeldByAnother(at address: UInt) -> Bool {
    // SAFETY: as above.
    let word = unsafe UnsafePointer<Word>(bitPattern: address).unsafelyUnwrapped
    let holder = unsafe word.pointee.load(ordering: .acquiring)
    return holder != 0 && holder != UInt(lab_malloc_thread())
  }
}
