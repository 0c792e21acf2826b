import CLabBench
import Glibc

/// The processor time that children of this process took while something ran. What else the machine does takes time
/// from them by the clock, and little of this.
struct ChildProcessorTime {
  private let startNanoseconds = lab_clock_nanoseconds()
  private let startChildNanoseconds = ChildProcessorTime.allNanoseconds

  /// The time of the children that ended since this value was made.
  var nanoseconds: Double { Self.allNanoseconds - startChildNanoseconds }

  /// How much of a processor they had: more than 1 where there were several at once, and much less than 1 on a machine
  /// with too much to do for its caches to tell anything.
  var share: Double {
    let elapsed = lab_clock_nanoseconds() - startNanoseconds
    return elapsed > 0 ? nanoseconds / Double(elapsed) : 0
  }

  private static var allNanoseconds: Double {
    var usage = rusage()
    // SAFETY: the out-parameter is this function's own.
    unsafe getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
    func nanoseconds(_ time: timeval) -> Double { Double(time.tv_sec) * 1e9 + Double(time.tv_usec) * 1e3 }
    return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)
  }
}
