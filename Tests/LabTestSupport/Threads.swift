import Foundation

/// Threads of the system, for tests in which the scheduler must be able to stop any of them at any instruction.
public enum Threads {
  /// Runs `body` on `count` threads at once and returns when the last has ended.
  ///
  /// - Parameter body: What each thread does; it is given its number, from 0.
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
