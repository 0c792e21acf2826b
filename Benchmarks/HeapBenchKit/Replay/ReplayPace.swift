import CLabPlatform
import Synchronization

/// Keeps the threads of a replay together: none runs ahead of the slowest by more than a window of the global order.
///
/// In the program, queues, locks and joins kept a producer from running away from its consumers. The workload does not
/// have them. Without a pace, the scheduler would decide how many bytes are live. Replays cannot deadlock: the slowest
/// thread never waits for the pace, nor for an earlier step of another thread, since all of those are taken.
final class ReplayPace: Sendable {
  /// The most steps of the global order that a thread may be ahead.
  static let windowStepCount = 1024

  /// A thread's position, on a cache line of its own.
  private final class Position: Sendable {
    let value = Atomic<Int>(0)
    let padding = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
  }

  private let positions: [Position]

  /// A pace for `threadCount` threads, all at the start.
  init(threadCount: Int) {
    positions = (0..<threadCount).map { _ in Position() }
  }

  /// Publishes that a thread is about to take the step at `position`, and waits while that is too far ahead.
  ///
  /// - Parameter limit: The last position that the thread knows it may take; the thread keeps it, from 0 at the start.
  @inline(__always)
  func enter(_ thread: Int, at position: Int, limit: inout Int) {
    // Only the number itself is shared, so relaxed order is enough here and below. Every step publishes its position: a
    // thread that waits for an object must not hold up the thread that it waits for.
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

  /// Publishes that a thread has taken all its steps.
  func finish(_ thread: Int) {
    positions[thread].value.store(.max, ordering: .relaxed)
  }

  private var slowest: Int {
    positions.reduce(.max - Self.windowStepCount) { min($0, $1.value.load(ordering: .relaxed)) }
  }
}
