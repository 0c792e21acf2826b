import Foundation
import HeapBenchKit

/// What a measurement takes of this process's limits. Below them the runtime would end the program with a dump of
/// registers, in the middle of a job.
enum MachineLimits {
  /// The least address space: a measured heap is aligned to 1 GiB, and each thread has a stack and a malloc arena.
  static let addressSpaceByteCount: UInt64 = 4 << 30

  /// The least number of open files: a started process takes six, and two run at a time.
  static let openFileCount: UInt64 = 64

  /// Raises each limit to what measuring takes, as far as the system lets this process.
  ///
  /// - Throws: ``UserError`` with the limit and the command that raises it.
  static func check() throws {
    if let found = raise(RLIMIT_NOFILE, to: openFileCount) {
      throw UserError(
        "at most \(found) files may be open at once, and measuring takes \(openFileCount): run 'ulimit -n "
          + "\(openFileCount)' first")
    }
    if let found = raise(RLIMIT_AS, to: addressSpaceByteCount) {
      throw UserError(
        "the address space is limited to \(ByteCount(found)), and measuring takes \(ByteCount(addressSpaceByteCount)): "
          + "run 'ulimit -v unlimited' first")
    }
  }

  /// Raises a soft limit that is too low; returns it when it stays too low.
  private static func raise(_ resource: __rlimit_resource, to needed: UInt64) -> UInt64? {
    let resource = __rlimit_resource_t(resource.rawValue)
    var limit = rlimit()
    // SAFETY: getrlimit and setrlimit use this function's own structure.
    guard unsafe getrlimit(resource, &limit) == 0, limit.rlim_cur < needed else { return nil }
    let found = UInt64(limit.rlim_cur)
    limit.rlim_cur = min(rlim_t(needed), limit.rlim_max)
    return unsafe limit.rlim_cur >= needed && setrlimit(resource, &limit) == 0 ? nil : found
  }
}
