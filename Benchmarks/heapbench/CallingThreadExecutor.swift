import Dispatch
import Synchronization

/// Runs tasks on the thread that calls ``run()``, one at a time.
///
/// The default executor's threads set priorities of their own, and a process that such a thread starts inherits them:
/// root's measurements ran before every other process, and `nice` had no effect on them.
final class CallingThreadExecutor: TaskExecutor {
  private struct State {
    var jobs: [UnownedJob] = []
    var isFinished = false
  }

  private let state = Mutex(State())
  /// Counts the jobs that wait, and the end.
  private let changes = DispatchSemaphore(value: 0)

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    state.withLock { $0.jobs.append(job) }
    changes.signal()
  }

  /// Runs jobs until ``finish()`` is called.
  func run() {
    while true {
      changes.wait()
      let job = state.withLock { $0.isFinished || $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
      guard let job else { return }
      // SAFETY: this executor lives until run() returns, and each job runs once.
      unsafe job.runSynchronously(on: asUnownedTaskExecutor())
    }
  }

  /// Ends ``run()``: after the job that is running, if one is.
  func finish() {
    state.withLock { $0.isFinished = true }
    changes.signal()
  }
}
