import Foundation

/// Runs asynchronous work to its end on behalf of the main thread, and hears Ctrl-C meanwhile.
enum Interruptible {
  /// The result of `work`, whose task is cancelled when the process is told to stop; a second time ends the process.
  static func run<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) throws -> Value {
    let outcome = Outcome<Value>()
    let done = DispatchSemaphore(value: 0)
    let task = Task {
      outcome.result = await Result(catching: work)
      done.signal()
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
    done.wait()
    for source in sources { source.cancel() }
    guard let result = outcome.result else { throw UserError("the work ended without a result") }
    return try result.get()
  }

  /// Where the task leaves its result for the thread that waits: written before the semaphore's signal, read after.
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
