/// Why the system refused: an errno.
public struct SystemError: Error, Equatable, Hashable, Sendable {
  /// The number; 0 is success.
  public let code: Int32

  /// The error with the number `code`.
  public init(_ code: Int32) {
    self.code = code
  }

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
  /// EEXIST
  package static var exists: SystemError { SystemError(17) }
  /// EINVAL
  static var invalid: SystemError { SystemError(22) }

  // With this, a `case` can name a constant.
  static func ~= (pattern: SystemError, value: SystemError) -> Bool { pattern.code == value.code }
}
