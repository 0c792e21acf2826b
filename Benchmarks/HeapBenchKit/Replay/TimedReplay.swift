import CLabBench
import CLabPlatform
import Foundation
import Synchronization

/// A replay on real threads. Each takes its steps as fast as the allocator and the other threads allow.
///
/// The replay skips pauses; ``ReplayPace`` keeps the threads together. The calling thread takes the steps of thread 0;
/// the other threads are new.
final class TimedReplay<Target: ReplayTarget>: @unchecked Sendable {
  private let target: Target
  private let facts: WorkloadFacts
  private let plan: ReplayPlan

  /// Each thread's steps; empty for a single thread, which takes the plan's own.
  private let threadSteps: [ContiguousArray<ReplayStep>]

  init(_ plan: ReplayPlan, on target: Target) {
    self.target = target
    self.plan = plan
    facts = plan.facts
    var threadSteps: [ContiguousArray<ReplayStep>] = []
    if plan.facts.threadCount > 1 {
      threadSteps = Array(repeating: [], count: plan.facts.threadCount)
      for position in 0..<plan.facts.stepCount {
        let step = plan.steps[position]
        threadSteps[Int(step.thread)].append(step)
      }
    }
    self.threadSteps = threadSteps
  }

  /// The result of a replay.
  struct Outcome<Observer: ReplayObserver> {
    /// The time from when all threads could start to when the last one was done.
    var elapsedNanoseconds: UInt64
    /// The requests that got no memory.
    var failureCount: Int
    /// Each thread's observer.
    var observers: [Observer]
  }

  /// Takes all steps once, with an observer for each thread. Calls `whenReady` once the replay's own data is allocated,
  /// before other threads start.
  func run<Observer: ReplayObserver & SendableMetatype>(
    _ makeObserver: () -> Observer, whenReady: () -> Void = {}
  ) throws(MeasurementFailure) -> Outcome<Observer> {
    let run = try Run(self, observers: (0..<facts.threadCount).map { _ in makeObserver() })
    whenReady()
    for thread in 1..<max(1, facts.threadCount) {
      let worker = Thread { run.work(as: thread) }
      worker.stackSize = 1 << 20
      worker.start()
    }
    run.work(as: 0)
    return run.finish()
  }

  /// One run, with the data that its threads share.
  private final class Run<Observer: ReplayObserver & SendableMetatype>: @unchecked Sendable {
    private let replay: TimedReplay
    private let objects: ObjectTable
    private let readyCount = Atomic<Int>(0)
    private let doneCount = Atomic<Int>(0)
    private let pace: ReplayPace
    private let seats: [Seat]

    /// The data and the results of one thread. No other thread touches them before the thread is done.
    private final class Seat {
      var worker: ReplayWorker<Target, Observer>
      var startNanoseconds: UInt64 = 0
      var endNanoseconds: UInt64 = 0

      init(_ worker: ReplayWorker<Target, Observer>) {
        self.worker = worker
      }
    }

    init(_ replay: TimedReplay, observers: [Observer]) throws(MeasurementFailure) {
      self.replay = replay
      objects = try ObjectTable(count: replay.facts.objectCount)
      pace = ReplayPace(threadCount: observers.count)
      seats = observers.map { Seat(ReplayWorker(target: replay.target, observer: $0)) }
    }

    /// Takes the steps of one thread, together with all others.
    func work(as thread: Int) {
      let seat = seats[thread]
      var worker = seat.worker
      // Each thread's addition releases and its loads acquire, so they pair: all threads start when all have arrived.
      readyCount.add(1, ordering: .acquiringAndReleasing)
      while readyCount.load(ordering: .acquiring) < seats.count { lab_platform_yield() }
      seat.startNanoseconds = lab_clock_nanoseconds()
      // SAFETY: the plan and the replay keep the steps until all threads are done.
      if seats.count == 1 {
        unsafe worker.take(replay.plan.steps.buffer, objects: objects)
      } else {
        unsafe replay.threadSteps[thread].withUnsafeBufferPointer { steps in
          unsafe worker.take(steps, objects: objects, pace: pace, thread: thread)
        }
        pace.finish(thread)
      }
      seat.endNanoseconds = lab_clock_nanoseconds()
      seat.worker = worker
      // Releasing pairs with the acquiring load in `finish`: this thread's results are visible there.
      doneCount.add(1, ordering: .releasing)
    }

    /// Waits for all threads and returns their results.
    func finish() -> Outcome<Observer> {
      while doneCount.load(ordering: .acquiring) < seats.count { lab_platform_yield() }
      let start = seats.map(\.startNanoseconds).min() ?? 0
      let end = seats.map(\.endNanoseconds).max() ?? 0
      return Outcome(
        elapsedNanoseconds: end - start, failureCount: seats.reduce(0) { $0 + $1.worker.failureCount },
        observers: seats.map(\.worker.observer))
    }
  }
}
