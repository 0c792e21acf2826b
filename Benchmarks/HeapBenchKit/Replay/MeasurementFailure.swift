import Glibc

/// Why there is no measurement: one line for a person, with the way out where there is one.
public struct MeasurementFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// The line, without a newline.
  public let description: String

  /// A failure with this line.
  public init(_ description: String) {
    self.description = description
  }

  /// A failure of a system call with its errno.
  static func system(_ what: String, _ code: Int32) -> MeasurementFailure {
    // SAFETY: strerror returns a C string that stays valid until the next call on this thread.
    MeasurementFailure("\(what): \(unsafe String(cString: strerror(code)))")
  }
}
