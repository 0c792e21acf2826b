import Foundation

/// Reads files. Its errors keep the system's own message, which Foundation's errors lose.
enum FileBytes {
  /// Why a file cannot be read.
  struct Failure: Error {
    /// The system's message, such as `No such file or directory`.
    let reason: String

    /// The message for an `errno`.
    fileprivate init(errno code: Int32) {
      // SAFETY: strerror returns a zero-terminated string, which is copied before the next call.
      reason = unsafe String(cString: strerror(code))
    }
  }

  /// All bytes of the file at `path`.
  static func read(_ path: String) throws(Failure) -> [UInt8] {
    // SAFETY: the path is a zero-terminated string during the call.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(errno: errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      // SAFETY: the buffer has `count` bytes and outlives the call.
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe Foundation.read(descriptor, $0.baseAddress, $0.count) }
      switch count {
      case 0: return bytes
      case ..<0: throw Failure(errno: errno)
      default: bytes += chunk[..<count]
      }
    }
  }
}
