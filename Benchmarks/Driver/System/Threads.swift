import CLabDriver
import CLabPlatform
import Synchronization

/// What a thread does with what all of them share. A C function: its address is all that a new thread is given.
typealias ThreadBody = @convention(c) (_ shared: UnsafeMutableRawPointer, _ thread: Int) -> Void

/// A thread to be started, or running.
@safe struct LabThread: BitwiseCopyable {
  private var body: ThreadBody
  private var shared: UnsafeMutableRawPointer
  private var number: Int
  private var handle = pthread_t()

  init(_ number: Int, _ shared: UnsafeMutableRawPointer, _ body: ThreadBody) {
    unsafe self.body = body
    unsafe self.shared = shared
    self.number = number
  }

  /// Starts the thread, which reads its place in memory when it runs: the place must stay until ``join()``.
  static func start(_ thread: UnsafeMutablePointer<LabThread>) {
    var handle = pthread_t()
    // SAFETY: the caller keeps the thread's place until it has ended.
    let code = unsafe pthread_create(
      &handle, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let thread = unsafe argument.assumingMemoryBound(to: LabThread.self).pointee
        unsafe thread.body(thread.shared, thread.number)
        return nil
      }, thread)
    guard code == 0 else { stop("cannot start a thread; error", number: Int(code), "of pthread_create") }
    unsafe thread.pointee.handle = handle
  }

  func join() { _ = pthread_join(handle, nil) }

  /// Runs `body` on `count` threads at once, all of them with `shared`, and waits for their ends.
  @unsafe static func run<Shared: ~Copyable>(_ count: Int, sharing shared: inout Shared, _ body: ThreadBody) {
    let threads = MappedTable<LabThread>(count: count)
    // SAFETY: the threads end before the pointer's life does.
    unsafe withUnsafeMutablePointer(to: &shared) { shared in
      for number in 0..<count {
        unsafe threads[number] = LabThread(number, shared, body)
        unsafe start(threads.address(of: number))
      }
      for number in 0..<count { threads[number].join() }
    }
  }
}

/// Waiting for another thread: a few pauses, then the processor is given away, so that more threads than processors
/// make progress.
struct Wait {
  private var count = 0

  @inline(__always) mutating func pause() {
    count += 1
    if count < 64 { lab_platform_relax() } else { lab_platform_yield() }
  }
}
