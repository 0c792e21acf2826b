import CLabDriver

/// What the kernel counted for a thread.
struct ThreadUsage {
  /// Page faults that needed no disk.
  var minorFaultCount = 0
  /// Page faults that needed one.
  var majorFaultCount = 0
  /// How often the thread gave its processor up, and how often it lost it.
  var voluntarySwitchCount = 0
  var involuntarySwitchCount = 0

  /// The calling thread's, so far.
  static var now: ThreadUsage {
    var usage = rusage()
    // SAFETY: the out-parameter is this function's own.
    unsafe lab_thread_usage(&usage)
    return ThreadUsage(
      minorFaultCount: usage.ru_minflt, majorFaultCount: usage.ru_majflt, voluntarySwitchCount: usage.ru_nvcsw,
      involuntarySwitchCount: usage.ru_nivcsw)
  }

  static func + (left: ThreadUsage, right: ThreadUsage) -> ThreadUsage {
    ThreadUsage(
      minorFaultCount: left.minorFaultCount + right.minorFaultCount,
      majorFaultCount: left.majorFaultCount + right.majorFaultCount,
      voluntarySwitchCount: left.voluntarySwitchCount + right.voluntarySwitchCount,
      involuntarySwitchCount: left.involuntarySwitchCount + right.involuntarySwitchCount)
  }

  static func - (end: ThreadUsage, start: ThreadUsage) -> ThreadUsage {
    ThreadUsage(
      minorFaultCount: end.minorFaultCount - start.minorFaultCount,
      majorFaultCount: end.majorFaultCount - start.majorFaultCount,
      voluntarySwitchCount: end.voluntarySwitchCount - start.voluntarySwitchCount,
      involuntarySwitchCount: end.involuntarySwitchCount - start.involuntarySwitchCount)
  }
}
