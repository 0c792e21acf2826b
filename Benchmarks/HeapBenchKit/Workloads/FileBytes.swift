import Foundation

/// The bytes of a file, or the system's own words for why they cannot be had, which Foundation's errors lose.
enum FileBytes {
  /// Why a file cannot be read.
  struct Failure: Error {
    /// The system's reason, as `No such file or directory`.
    let reason: String

    /// The reason that `errno` gives after a call that failed.
    fileprivate init(errno code: Int32) {
      // SAFETY: the text is a zero-terminated string of the C library's, copied before any other call.
      reason = unsafe String(cString: strerror(code))
    }
  }

  /// All bytes of the file at `path`.
  static func read(_ path: String) throws(Failure) -> [UInt8] {
    // SAFETY: the path is a zero-terminated string for the length of the call.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(errno: errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      // SAFETY: the buffer is as long as the count says and lives as long as the call.
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe Foundation.read(descriptor, $0.baseAddress, $0.count) }
      switch count {
      case 0: return bytes
      case ..<0: throw Failure(errno: errno)
      default: bytes += chunk[..<count]
      }
    }
  }
}
