import Foundation

/// System threads, for tests in which the scheduler must be able to preempt any thread at any instruction.
public enum Threads {
  /// Runs `body` on `count` threads at once and returns when the last one has ended.
  ///
  /// - Parameter body: The work of each thread; its argument is the thread's number, from 0.
  public static func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let ended = DispatchGroup()
    for number in 0..<count {
      ended.enter()
      let thread = Thread {
        body(number)
        ended.leave()
      }
      thread.start()
    }
    ended.wait()
  }
}
