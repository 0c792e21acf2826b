import Glibc

/// Why there is no measurement: one line for the user, with a remedy where there is one.
public struct MeasurementFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// The line, without a newline.
  public let description: String

  /// A failure that this line describes.
  public init(_ description: String) {
    self.description = description
  }

  /// The failure of a system call with its errno.
  static func system(_ what: String, _ code: Int32) -> MeasurementFailure {
    // SAFETY: strerror returns a C string that stays valid until the next call on this thread.
    MeasurementFailure("\(what): \(unsafe String(cString: strerror(code)))")
  }
}
