import Foundation
import Synchronization

/// Threads that have ended when `run` returns: for the kernel too, which then has taken away the marks that they held.
///
/// None ends before all have done their work, so that none goes on with the heap of one that is not joined yet. The kernel
/// orders what the two do, by the mark that it takes away; ThreadSanitizer does not know that and would report a race.
enum JoinedThreads {
  private final class Work {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
  }

  /// Runs `body` on `count` threads at once, with each thread's number from 0 on, and waits until they have ended.
  static func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let workingCount = Atomic(count)
    let threads = (0..<count).map { number in
      var thread = pthread_t()
      let work = Unmanaged.passRetained(
        Work {
          body(number)
          workingCount.subtract(1, ordering: .relaxed)
          while workingCount.load(ordering: .relaxed) > 0 { usleep(100) }
        })
      // SAFETY: the thread takes over the reference to its work.
      let code = unsafe pthread_create(
        &thread, nil,
        { argument in
          // SAFETY: as above.
          if let argument { unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
          return nil
        }, work.toOpaque())
      precondition(code == 0, "the system must have room for a thread")
      return thread
    }
    for thread in threads { pthread_join(thread, nil) }
  }
}
