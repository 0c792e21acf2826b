import Foundation

/// Standard output with errors: a report that a full disk swallowed must not look like a success.
enum StandardOutput {
  /// Writes a line.
  ///
  /// - Throws: ``UserError``, as ``write(_:)`` does.
  static func line(_ text: String) throws { try write(text + "\n") }

  /// Writes the text. The end of a reader that had enough, as `head` has, is no error.
  ///
  /// - Throws: ``UserError`` with the system's reason.
  static func write(_ text: String) throws { try write(Data(text.utf8)) }

  /// Writes the bytes, as ``write(_:)`` does for text.
  static func write(_ data: Data) throws {
    var rest = data[...]
    while !rest.isEmpty {
      // SAFETY: the buffer has `count` bytes and outlives the call.
      let count = unsafe rest.withUnsafeBytes { unsafe Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno == EPIPE {
        return
      } else if errno != EINTR {
        throw UserError("cannot write to standard output: \(SystemReason.text(errno))")
      }
    }
  }
}

/// The system's own words for an error.
enum SystemReason {
  /// The text for an `errno`.
  static func text(_ code: Int32) -> String {
    // SAFETY: strerror returns a C string that stays valid until the next call on this thread.
    unsafe String(cString: strerror(code))
  }
}
