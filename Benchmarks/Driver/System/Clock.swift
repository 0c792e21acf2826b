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

  /// How long `work` takes, in nanoseconds.
  @inline(__always) static func time(_ work: () -> Void) -> Int {
    let start = nanoseconds
    work()
    return nanoseconds - start
  }

  /// Sleeps, and calls nothing of the allocator.
  static func sleep(milliseconds: Int) {
    var pause = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    // SAFETY: the parameter is this function's own. Nothing here takes signals that could cut the sleep short.
    unsafe nanosleep(&pause, nil)
  }
}
