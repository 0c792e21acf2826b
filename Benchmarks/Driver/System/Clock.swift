import CLabDriver

/// The clocks of the system, in nanoseconds.
enum Clock {
  /// Nanoseconds of the monotonic clock.
  static var nanoseconds: Int { nanoseconds(of: CLOCK_MONOTONIC) }

  @inline(__always) private static func nanoseconds(of clock: clockid_t) -> Int {
    var now = timespec()
    // SAFETY: the out-parameter is this function's own.
    unsafe clock_gettime(clock, &now)
    return now.tv_sec * 1_000_000_000 + now.tv_nsec
  }

  /// The processor time of all threads of this process, in nanoseconds.
  static var processorNanoseconds: Int { nanoseconds(of: CLOCK_PROCESS_CPUTIME_ID) }

  /// The processor time of the calling thread, in nanoseconds. Reading it is a system call.
  static var threadNanoseconds: Int { nanoseconds(of: CLOCK_THREAD_CPUTIME_ID) }

  /// How long `work` takes.
  @inline(__always) static func time(_ work: () -> Void) -> Elapsed {
    let start = Elapsed.now
    work()
    return .now - start
  }

  /// Sleeps without calling the allocator.
  static func sleep(milliseconds: Int) {
    var pause = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    // SAFETY: the parameter is this function's own. The driver handles no signal that could cut the sleep short.
    unsafe nanosleep(&pause, nil)
  }
}

/// A length of time: elapsed time, and the processor time of all threads within it.
struct Elapsed {
  let nanoseconds: Int
  let processorNanoseconds: Int

  /// Both clocks now.
  static var now: Elapsed {
    Elapsed(nanoseconds: Clock.nanoseconds, processorNanoseconds: Clock.processorNanoseconds)
  }

  static func - (end: Elapsed, start: Elapsed) -> Elapsed {
    Elapsed(
      nanoseconds: end.nanoseconds - start.nanoseconds,
      processorNanoseconds: end.processorNanoseconds - start.processorNanoseconds)
  }
}
