import Foundation

/// Runs asynchronous work to its end on the main thread, and cancels it on Ctrl-C.
enum Interruptible {
  /// The result of `work`, which measures. The first SIGINT or SIGTERM cancels its task; the second ends the process.
  ///
  /// - Throws: What `work` throws, and ``UserError`` where this process's limits are too low to measure.
  static func run<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) throws -> Value {
    try MachineLimits.check()
    let outcome = Outcome<Value>()
    let executor = CallingThreadExecutor()
    let task = Task(executorPreference: executor) {
      outcome.result = await Result(catching: work)
      executor.finish()
    }
    let sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        if task.isCancelled { Foundation.exit(Ending.interrupted) }
        task.cancel()
      }
      source.resume()
      return source
    }
    executor.run()
    for source in sources { source.cancel() }
    guard let result = outcome.result else { throw UserError("the work ended without a result") }
    return try result.get()
  }

  /// Where the task leaves its result: written before the executor finishes, read after it.
  private final class Outcome<Value: Sendable>: @unchecked Sendable {
    var result: Result<Value, any Error>?
  }
}

extension Result where Failure == any Error {
  fileprivate init(catching body: () async throws -> Success) async {
    do {
      self = .success(try await body())
    } catch {
      self = .failure(error)
    }
  }
}
