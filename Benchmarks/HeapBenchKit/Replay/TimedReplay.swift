import CLabBench
import CLabPlatform
import Foundation
import Synchronization

/// A replay with threads as threads: each takes its steps as fast as the allocator and the other threads let it.
///
/// Pauses are not waited for; ``ReplayPace`` keeps the threads together. Thread 0 of the workload is the thread that calls; the others are new ones.
final class TimedReplay<Target: ReplayTarget>: @unchecked Sendable {
  private let target: Target
  private let facts: WorkloadFacts
  private let plan: ReplayPlan

  /// Each thread's steps; the plan's own when there is one thread.
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

  /// What a replay gives.
  struct Outcome<Observer: ReplayObserver> {
    /// From the moment all threads may start to the moment the last is done.
    var elapsedNanoseconds: UInt64
    /// Requests that the target had no memory for.
    var failureCount: Int
    /// Each thread's observer.
    var observers: [Observer]
  }

  /// Takes all steps once, with an observer for each thread; calls `whenReady` when all that the replay itself needs
  /// is allocated, before other threads start.
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

  /// One run: what its threads share.
  private final class Run<Observer: ReplayObserver & SendableMetatype>: @unchecked Sendable {
    private let replay: TimedReplay
    private let objects: ObjectTable
    private let readyCount = Atomic<Int>(0)
    private let doneCount = Atomic<Int>(0)
    private let pace: ReplayPace
    private let seats: [Seat]

    /// What one thread works with and leaves behind; no other touches it before it is done.
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
      // Each thread's arrival releases, each thread's waiting acquires: all start when all are there.
      readyCount.add(1, ordering: .acquiringAndReleasing)
      while readyCount.load(ordering: .acquiring) < seats.count { lab_platform_yield() }
      seat.startNanoseconds = lab_clock_nanoseconds()
      // SAFETY: the plan and the replay hold the steps until all threads are done.
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
      // Releasing pairs with the acquiring load in `finish`: what this thread observed is seen there.
      doneCount.add(1, ordering: .releasing)
    }

    /// Waits for all threads and gives what they saw.
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
