import CLabDriver
import CLabPlatform
import Synchronization

/// The body of a thread, given what all threads share. It is a C function, since a new thread gets no more than one
/// pointer.
typealias ThreadBody = @convention(c) (_ shared: UnsafeMutableRawPointer, _ thread: Int) -> Void

/// A thread, not started yet or running.
@safe struct LabThread: BitwiseCopyable {
  private var body: ThreadBody
  private var shared: UnsafeMutableRawPointer
  private var number: Int
  /// The bytes of its stack; 0 for as many as the system gives.
  private var stackByteCount: Int
  private var gate: UnsafeMutablePointer<StartGate>?
  private var handle = pthread_t()

  init(
    _ number: Int, _ shared: UnsafeMutableRawPointer, stackByteCount: Int = 0,
    gate: UnsafeMutablePointer<StartGate>? = nil, _ body: ThreadBody
  ) {
    // SAFETY: keeping addresses touches nothing; `start` and `run` say how long they must be good.
    unsafe self.body = body
    unsafe self.shared = shared
    unsafe self.gate = gate
    self.number = number
    self.stackByteCount = stackByteCount
  }

  /// Starts the thread. It reads `thread` when it runs, so that memory must stay valid until ``join()``.
  static func start(_ thread: UnsafeMutablePointer<LabThread>) {
    var handle = pthread_t()
    var attributes = pthread_attr_t()
    // SAFETY: the attributes are this function's own.
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    // SAFETY: the caller keeps the thread's place.
    let stackByteCount = unsafe thread.pointee.stackByteCount
    if stackByteCount > 0 { unsafe pthread_attr_setstacksize(&attributes, stackByteCount) }
    // SAFETY: the caller keeps the memory valid until the thread has ended.
    let code = unsafe pthread_create(
      &handle, &attributes,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let thread = unsafe argument.assumingMemoryBound(to: LabThread.self).pointee
        if let gate = unsafe thread.gate { unsafe gate.pointee.pass() }
        unsafe thread.body(thread.shared, thread.number)
        return nil
      }, thread)
    guard code == 0 else { stop("cannot start a thread; error", number: Int(code), "of pthread_create") }
    // SAFETY: the caller keeps the thread's place; the thread itself has no use for its handle.
    unsafe thread.pointee.handle = handle
  }

  func join() { _ = pthread_join(handle, nil) }

  /// Runs `body` on `count` threads at once, all with `shared`, and waits until they have ended.
  ///
  /// - Returns: The time from when all threads had started to when all had ended.
  @discardableResult @unsafe
  static func run<Shared: ~Copyable>(_ count: Int, sharing shared: inout Shared, _ body: ThreadBody) -> Elapsed {
    let threads = MappedTable<LabThread>(count: count)
    var gate = StartGate()
    var start = Elapsed.now
    // SAFETY: the threads end before the pointers become invalid.
    unsafe withUnsafeMutablePointer(to: &shared) { shared in
      unsafe withUnsafeMutablePointer(to: &gate) { gate in
        for number in 0..<count {
          unsafe threads[number] = LabThread(number, shared, gate: gate, body)
          unsafe LabThread.start(threads.address(of: number))
        }
        // SAFETY: the gate is this function's own; threads use nothing of it but atomics.
        unsafe gate.pointee.open(to: count) { start = .now }
        for number in 0..<count { threads[number].join() }
      }
    }
    return .now - start
  }
}

/// Lets threads begin their work at the same time; their start is then not measured.
struct StartGate: ~Copyable {
  private let waiting = Atomic<Int>(0)
  private let isOpen = Atomic<Bool>(false)

  /// Waits until the gate is open.
  borrowing func pass() {
    waiting.add(1, ordering: .relaxed)
    var wait = Wait()
    while !isOpen.load(ordering: .relaxed) { wait.pause() }
  }

  /// Waits until `count` threads are waiting, calls `body` and lets them pass.
  borrowing func open(to count: Int, _ body: () -> Void) {
    var wait = Wait()
    while waiting.load(ordering: .relaxed) < count { wait.pause() }
    body()
    isOpen.store(true, ordering: .relaxed)
  }
}

/// Waits for another thread: spins a few times, then yields the processor. More threads than processors make progress.
struct Wait {
  private var count = 0

  @inline(__always) mutating func pause() {
    count += 1
    if count < 64 { lab_platform_relax() } else { lab_platform_yield() }
  }
}
