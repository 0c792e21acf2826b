import Foundation

/// Threads that have ended when `run` returns: for the kernel too, which then has taken away the marks that they held.
enum JoinedThreads {
  private final class Work {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
  }

  /// Runs `body` on `count` threads at once, with each thread's number from 0 on, and waits until they have ended.
  static func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let threads = (0..<count).map { number in
      var thread = pthread_t()
      let work = Unmanaged.passRetained(Work { body(number) })
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
