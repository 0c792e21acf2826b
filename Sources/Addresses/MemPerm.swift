/// Which accesses to memory are allowed. Without ``user``, they are the kernel's only.
///
/// In Embedded Swift this is an option set in all but name: the conformance brings array literals, which allocate.
@frozen
public struct MemPerm: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8

  @inlinable public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// No access.
  @inlinable public init() {
    self.init(rawValue: 0)
  }

  /// Data can be read.
  @inlinable public static var read: MemPerm { MemPerm(rawValue: 1) }
  /// Data can be written.
  @inlinable public static var write: MemPerm { MemPerm(rawValue: 2) }
  /// Instructions can be fetched.
  @inlinable public static var execute: MemPerm { MemPerm(rawValue: 4) }
  /// User mode has the same access.
  @inlinable public static var user: MemPerm { MemPerm(rawValue: 8) }

  /// The kernel's constants: read.
  @inlinable public static var kernelReadOnly: MemPerm { read }
  /// The kernel's data: read and write.
  @inlinable public static var kernelData: MemPerm { read | write }
  /// The kernel's code: read and execute.
  @inlinable public static var kernelCode: MemPerm { read | execute }
  /// A program's constants: read, also in user mode.
  @inlinable public static var userReadOnly: MemPerm { read | user }
  /// A program's data: read and write, also in user mode.
  @inlinable public static var userData: MemPerm { read | write | user }
  /// A program's code: read and execute, also in user mode.
  @inlinable public static var userCode: MemPerm { read | execute | user }

  /// The union of two permissions.
  @inlinable public static func | (left: MemPerm, right: MemPerm) -> MemPerm {
    MemPerm(rawValue: left.rawValue | right.rawValue)
  }

  /// Whether this allows everything that `other` allows.
  @inlinable public func contains(_ other: MemPerm) -> Bool { rawValue & other.rawValue == other.rawValue }

  /// What this allows and `other` does not.
  @inlinable public func subtracting(_ other: MemPerm) -> MemPerm { MemPerm(rawValue: rawValue & ~other.rawValue) }

  /// What both allow.
  @inlinable public func intersection(_ other: MemPerm) -> MemPerm { MemPerm(rawValue: rawValue & other.rawValue) }
}

#if !hasFeature(Embedded)
  extension MemPerm: OptionSet {}
#endif
