import CLabPlatform
import Synchronization

/// Keeps the threads of a replay together: none runs ahead of the slowest by more than a window of the global order.
///
/// In the program, queues, locks and joins kept a producer from running away from its consumers. They are not in the
/// workload, so without a pace its live bytes would be what the scheduler makes them. The slowest thread never waits
/// for the pace, and what else it may wait for are earlier steps, which would make their thread slower still: replays
/// cannot deadlock.
final class ReplayPace: Sendable {
  /// How many steps of the global order a thread may be ahead.
  static let windowStepCount = 1024

  /// A thread's position, on cache lines of its own.
  private final class Position: Sendable {
    let value = Atomic<Int>(0)
    let padding = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
  }

  private let positions: [Position]

  /// The pace of so many threads, all at the start.
  init(threadCount: Int) {
    positions = (0..<threadCount).map { _ in Position() }
  }

  /// Says that a thread is about to take the step at `position`, and waits while that is too far ahead.
  ///
  /// - Parameter limit: How far the thread knows that it may go; from 0 on its own to keep.
  @inline(__always)
  func enter(_ thread: Int, at position: Int, limit: inout Int) {
    // Nothing but the number itself is communicated, so relaxed order is enough here and below. Every step says where
    // it is: a thread that waits for an object must not hold up the one it waits for.
    positions[thread].value.store(position, ordering: .relaxed)
    if position > limit { wait(at: position, limit: &limit) }
  }

  @inline(never)
  private func wait(at position: Int, limit: inout Int) {
    while true {
      limit = slowest + Self.windowStepCount
      if position <= limit { return }
      lab_platform_yield()
    }
  }

  /// Says that a thread has taken all its steps.
  func finish(_ thread: Int) {
    positions[thread].value.store(.max, ordering: .relaxed)
  }

  private var slowest: Int {
    positions.reduce(.max - Self.windowStepCount) { min($0, $1.value.load(ordering: .relaxed)) }
  }
}
