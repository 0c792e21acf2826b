import CLabDriver

/// Time that passes.
enum Clock {
  /// Nanoseconds of the monotonic clock.
  static var nanoseconds: Int {
    var now = timespec()
    // SAFETY: the out-parameter is this function's own.
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec * 1_000_000_000 + now.tv_nsec
  }

  /// Nanoseconds that this process's threads have had processors.
  static var processorNanoseconds: Int {
    var now = timespec()
    // SAFETY: the out-parameter is this function's own.
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now)
    return now.tv_sec * 1_000_000_000 + now.tv_nsec
  }

  /// How long `work` takes.
  @inline(__always) static func time(_ work: () -> Void) -> Elapsed {
    let start = Elapsed.now
    work()
    return .now - start
  }

  /// Sleeps, and calls nothing of the allocator.
  static func sleep(milliseconds: Int) {
    var pause = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    // SAFETY: the parameter is this function's own. Nothing here takes signals that could cut the sleep short.
    unsafe nanosleep(&pause, nil)
  }
}

/// A span of time: as it passes, and as the process's threads had processors in it.
struct Elapsed {
  let nanoseconds: Int
  let processorNanoseconds: Int

  /// What has passed until now.
  static var now: Elapsed {
    Elapsed(nanoseconds: Clock.nanoseconds, processorNanoseconds: Clock.processorNanoseconds)
  }

  static func - (end: Elapsed, start: Elapsed) -> Elapsed {
    Elapsed(
      nanoseconds: end.nanoseconds - start.nanoseconds,
      processorNanoseconds: end.processorNanoseconds - start.processorNanoseconds)
  }
}
