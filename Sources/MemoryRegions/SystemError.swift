/// A number by which the system says why it refused: an errno.
public struct SystemError: Error, Equatable, Hashable, Sendable {
  /// The number; 0 is success.
  public let code: Int32

  /// The error with the number `code`.
  public init(_ code: Int32) {
    self.code = code
  }

  /// No error.
  static var none: SystemError { SystemError(0) }
  /// EPERM
  static var notPermitted: SystemError { SystemError(1) }
  /// EAGAIN
  static var tryAgain: SystemError { SystemError(11) }
  /// ENOMEM
  static var outOfMemory: SystemError { SystemError(12) }
  /// EACCES
  static var noAccess: SystemError { SystemError(13) }
  /// EFAULT
  static var badAddress: SystemError { SystemError(14) }
  /// EINVAL
  static var invalid: SystemError { SystemError(22) }

  // What lets a `switch` name them.
  static func ~= (pattern: SystemError, value: SystemError) -> Bool { pattern.code == value.code }
}
